/**
 * The ring between nodes: links with numbered frames and heartbeats, stages that execute frames in order, the head's scheduler and the
 * last node's sampler. The head forms every step; all other nodes only do what their one inbound stream says.
 *
 * <p>Threads: gRPC's threads only enqueue; one scheduler thread at the head owns the generations; one step thread a node runs the
 * programs; one clock thread a node sends and checks heartbeats and never computes.
 */
package org.espalier.node.ring;
