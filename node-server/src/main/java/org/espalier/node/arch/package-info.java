/**
 * One file for each architecture: it turns a config into the {@link org.espalier.engine.program.Program} of a range of layers and reads
 * like the paper. {@link org.espalier.node.arch.Architectures} lists them.
 */
package org.espalier.node.arch;
