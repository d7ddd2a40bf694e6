/** A part of a model made ready on an engine: checkpoint, architecture and engine come together here. */
package org.espalier.node.shard;
