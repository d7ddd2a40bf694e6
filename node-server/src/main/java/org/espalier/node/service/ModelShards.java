package org.espalier.node.service;

import java.nio.file.Path;
import java.util.List;
import org.espalier.EspalierException;
import org.espalier.node.ring.StageShard;

/** Loads shards of real models from files of this machine, within the node's model roots. */
final class ModelShards implements ShardLoader {

    private final List<Path> roots;

    /** @param roots folders that models may lie in; empty: anywhere */
    ModelShards(List<Path> roots) {
        this.roots = roots;
    }

    @Override
    public List<String> engines() {
        return List.of("reference");
    }

    @Override
    public StageShard load(Order order, Progress progress) {
        throw new EspalierException("node " + order.node() + " cannot load " + order.model() + " below " + roots);
    }

    @Override
    public void close() {}
}
