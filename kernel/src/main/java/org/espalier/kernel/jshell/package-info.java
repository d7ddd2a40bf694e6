/** Java code of cells: the JDK's own JShell, running in this JVM, with the live objects of results. */
package org.espalier.kernel.jshell;
