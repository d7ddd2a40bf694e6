/** What the build says at its end. */
package org.espalier.build;
