/**
 * The language between architectures and engines: a {@link org.espalier.program.Program} is a list of coarse {@link
 * org.espalier.program.Op ops} over named {@link org.espalier.weights.Weight weights}.
 */
package org.espalier.program;
