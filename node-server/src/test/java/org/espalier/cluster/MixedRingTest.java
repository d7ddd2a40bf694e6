package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rings of nodes that do not compute alike: refused as they join, or, where only the engines differ, reported as they are. */
class MixedRingTest {

    private final List<FakeLoader> loaders = new ArrayList<>();
    private final List<NodeServer> nodes = new ArrayList<>();
    private Cluster cluster;

    @BeforeEach
    void start() {
        for (int i = 0; i < 3; i++) {
            loaders.add(new FakeLoader());
            nodes.add(NodeServer.start(NodeOptions.loopback("n" + i), loaders.get(i)));
        }
        cluster = Cluster.of(nodes.stream().map(NodeServer::address).toList(), new FakeModels());
    }

    @AfterEach
    void stop() {
        cluster.close();
        nodes.forEach(NodeServer::close);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void anotherPrecisionIsRefusedAtJoin(int odd) {
        loaders.get(odd).precision = "fast";
        loaders.get(odd).engine = "metal";
        assertRefused(odd, "engine metal in fast with 4 bytes", "engine fake in float32 with 4 bytes");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void anotherWidthIsRefusedAtJoin(int odd) {
        loaders.get(odd).activationBytes = 2;
        assertRefused(odd, "engine fake in float32 with 2 bytes", "engine fake in float32 with 4 bytes");
    }

    private void assertRefused(int odd, String its, String others) {
        String name = "node n" + odd + " (" + nodes.get(odd).address() + ")";
        assertThatThrownBy(() -> cluster.load("m", LoadOptions.defaults()))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("cannot join the next")
                .hasMessageContaining(name + " runs " + its)
                .hasMessageContaining(" runs " + others)
                .hasMessageContaining("load it again with one engine on all nodes, or with precision float32");
        assertThat(cluster.deployment()).isEmpty();
        assertThat(cluster.nodes()).allSatisfy(node -> assertThat(node.shards()).isEmpty());
        loaders.forEach(loader -> assertThat(loader.open()).isEmpty());
    }

    @Test
    void enginesThatComputeAlikeMayDiffer() {
        loaders.get(1).engine = "metal";
        Deployment loaded = cluster.load("m", LoadOptions.defaults());

        assertThat(loaded.engines()).isEqualTo(Map.of("n0", "fake", "n1", "metal", "n2", "fake"));
        assertThat(loaded.engine()).isEqualTo("fake (n0, n2), metal (n1)");
        assertThat(cluster.nodes())
                .flatExtracting(NodeInfo::shards)
                .extracting(ShardInfo::engine)
                .containsExactly("fake", "metal", "fake");
        try (Cluster other = Cluster.of(nodes.stream().map(NodeServer::address).toList(), new FakeModels())) {
            assertThat(other.use("m").engines()).isEqualTo(loaded.engines());
        }
    }
}
