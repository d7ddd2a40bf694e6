/**
 * The ring between nodes, as a machine without a wire: links with numbered frames and heartbeats, stages that have frames executed in order,
 * the head's scheduler and the last node's sampler. The head forms every step; all other nodes only do what their one inbound stream says.
 *
 * <p>There is no thread, no gRPC and no clock here: {@link org.espalier.node.ring.Member} is told what arrives and asks its
 * {@link org.espalier.node.ring.RingPorts}, the {@link org.espalier.node.ring.EngineQueue} and the {@link org.espalier.node.ring.Replies}. So a
 * test plays whole rings in simulated time, with every fault that a seed can name. {@code org.espalier.node.ring.agent} runs it.
 *
 * <p>Only {@code ShardExecutor}, {@code Tail} and {@code Relay} are called by the thread that waits for the engine; the rest belongs to the agent's.
 */
package org.espalier.node.ring;
