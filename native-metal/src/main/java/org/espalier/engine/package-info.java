/**
 * What a shard computes with: an {@link org.espalier.engine.Engine} loads a {@link org.espalier.program.Program}
 * and runs {@linkplain org.espalier.engine.Step steps} of it. Nothing here knows a network, a notebook or a model family.
 *
 * <p>Legend of every shape in this module: B sequences, T rows in a step, D hidden width, H heads, E experts, K experts
 * a token, L layers, V vocabulary. Matrices are row-major; a row of a step is one token of one session.
 */
package org.espalier.engine;
