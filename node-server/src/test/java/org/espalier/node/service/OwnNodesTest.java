package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.NodeInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes that a notebook or a command has for itself: no other user of the machine may use them. */
@Timeout(60)
class OwnNodesTest {

    private static void areNobodyElses(Cluster cluster, String... names) throws Exception {
        List<NodeInfo> nodes = cluster.nodes();
        assertThat(nodes).extracting(NodeInfo::name).containsExactly(names);
        assertThat(nodes).allMatch(NodeInfo::reachable);
        for (NodeInfo node : nodes) {
            Stranger.isRefused(node.name(), node.address());
        }
    }

    /** {@code espalier-node run}. */
    @Test
    void theNodeOfACommand() throws Exception {
        try (Cluster cluster = LocalCluster.embedded()) {
            areNobodyElses(cluster, "embedded");
        }
    }

    /** {@code espalier-node run --nodes 2}, {@code %cluster local --nodes 2}. */
    @Test
    void theProcessesOfACommand() throws Exception {
        try (Cluster cluster = LocalCluster.start(2)) {
            areNobodyElses(cluster, "local-1", "local-2");
        }
    }

    /** What a notebook has when it loads a model and names no node. */
    @ParameterizedTest
    @ValueSource(strings = {"inside", "apart"})
    void theNodeOfANotebook(String where) throws Exception {
        String before = System.setProperty(LocalCluster.EMBEDDED, where);
        try (Cluster cluster = LocalCluster.whenNeeded()) {
            cluster.plan(
                    "../models/src/test/resources/models/deepseek_v3-tiny/hf", LoadOptions.defaults()); // needs a node
            areNobodyElses(cluster, "embedded");
        } finally {
            if (before == null) {
                System.clearProperty(LocalCluster.EMBEDDED);
            } else {
                System.setProperty(LocalCluster.EMBEDDED, before);
            }
        }
    }
}
