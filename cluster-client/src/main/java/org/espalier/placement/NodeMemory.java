package org.espalier.placement;

/**
 * The memory a node offers to a placement.
 *
 * @param node unique name
 * @param freeBytes that a shard may take
 */
public record NodeMemory(String node, long freeBytes) {}
