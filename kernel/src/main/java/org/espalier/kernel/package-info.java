/** The Jupyter kernel: Java cells by JShell, magics that drive a cluster, and their displays. */
package org.espalier.kernel;
