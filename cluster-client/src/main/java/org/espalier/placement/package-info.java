/**
 * Which node holds which part of a model. A {@link org.espalier.placement.Placement} is a value that can be printed, edited, compared
 * and checked before a byte moves; a strategy makes one from the model's sizes and the nodes' memory.
 */
package org.espalier.placement;
