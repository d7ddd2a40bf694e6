package org.espalier.placement;

/**
 * The memory a node offers to a placement.
 *
 * @param node unique name
 * @param freeBytes that its machine has for shards
 * @param machine what is free there is free once, for all nodes that have the same
 */
public record NodeMemory(String node, long freeBytes, String machine) {

    /** A node that has its machine for itself. */
    public NodeMemory(String node, long freeBytes) {
        this(node, freeBytes, node);
    }
}
