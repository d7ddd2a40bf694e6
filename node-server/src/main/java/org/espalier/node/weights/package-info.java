/** From a checkpoint's tensors to the engines' weights: shapes checked against the config, forms of storage chosen here once. */
package org.espalier.node.weights;
