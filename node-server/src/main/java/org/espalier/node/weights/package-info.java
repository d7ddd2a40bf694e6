/** From a checkpoint's tensors to the {@link org.espalier.engine.program.Weight weights} of a program, each checked against the config's shape. */
package org.espalier.node.weights;
