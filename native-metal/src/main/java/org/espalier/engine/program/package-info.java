/**
 * The language between architectures and engines: a {@link org.espalier.engine.program.Program} is a list of coarse {@link
 * org.espalier.engine.program.Op ops} over named {@link org.espalier.engine.program.Weight weights}.
 */
package org.espalier.engine.program;
