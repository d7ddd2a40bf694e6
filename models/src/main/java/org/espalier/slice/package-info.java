/**
 * What one node holds of a model, as a value: its layers, its shares of heads, of width and of the vocabulary, and its experts. Placement, wire,
 * loader and builder pass it on whole; only {@link org.espalier.architecture} turns it into weights and ops.
 */
package org.espalier.slice;
