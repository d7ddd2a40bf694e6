package org.espalier.plan;

/**
 * What a shard does for one token of one conversation.
 *
 * @param readBytes of weights; of experts the mean share, as if each were chosen equally often
 * @param exchanges with the nodes that share its layers
 */
public record ShardWork(long readBytes, int exchanges) {}
