/** Jars that a notebook adds: what is meant by coordinates, where Maven finds it, and what the kernel carries itself. Knows nothing of cells. */
package org.espalier.kernel.dependencies;
