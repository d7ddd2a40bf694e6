package org.espalier.kernel.magic;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.espalier.EspalierException;
import org.espalier.Remedy;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.NodeInfo;
import org.espalier.cluster.ShardInfo;
import org.espalier.node.service.LocalCluster;

/** The one cluster of a notebook, the same that its code knows as {@code cluster}. */
public final class NotebookCluster implements AutoCloseable {

    /** Nothing is made at a notebook's start, or only to be closed at its end. */
    private static volatile boolean made;

    static Cluster make() {
        made = true;
        return LocalCluster.whenNeeded();
    }

    /** Always the same object, whatever nodes it has. */
    public Cluster get() {
        return NotebookVariables.cluster;
    }

    /** The cluster, with a model on it. */
    public Cluster withModel() {
        if (get().deployment().isEmpty()) {
            throw new EspalierException("no model is loaded", Remedy.LOAD);
        }
        return get();
    }

    /** What is loaded, if anything. */
    public Optional<Deployment> deployment() {
        return get().deployment();
    }

    /** The nodes as each last answered: asks none and starts none. */
    List<NodeInfo> knownNodes() {
        return made ? get().knownNodes() : List.of();
    }

    /** The names of what is loaded, of the nodes as each last answered: asks none and starts none. */
    List<String> knownDeployments() {
        Stream<String> onNodes =
                knownNodes().stream().flatMap(node -> node.shards().stream()).map(ShardInfo::deployment);
        Stream<String> own = made ? deployment().stream().map(Deployment::id) : Stream.empty();
        return Stream.concat(own, onNodes).distinct().toList();
    }

    /** Disconnects and ends the nodes that this notebook started. */
    @Override
    public void close() {
        if (made) {
            get().close();
        }
    }
}
