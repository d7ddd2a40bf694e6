package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.NodeDetails;
import org.espalier.cluster.NodeDetails.DiskModel;
import org.espalier.cluster.NodeInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a node says of its machine when it is asked in full. */
@Timeout(60)
class DescriptionTest {

    @TempDir
    private Path models;

    private void file(String name, int bytes) throws Exception {
        Path file = models.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, new byte[bytes]);
    }

    @Test
    void theDetailsHaveWhatIsOnDiskAndWhatTheMachineCan() throws Exception {
        file("small/config.json", 10);
        file("small/model.safetensors", 700);
        file("org/large-00001-of-00002.gguf", 1000);
        file("org/large-00002-of-00002.gguf", 2000);
        file("org/other.gguf", 5);
        Files.createSymbolicLink(models.resolve("small/lost"), models.resolve("nowhere"));
        try (NodeServer a = NodeServer.start(NodeOptions.loopback("a").withModelRoots(List.of(models)));
                Cluster cluster = Cluster.of(a.address())) {
            NodeInfo brief = cluster.nodes().get(0);
            NodeInfo node = cluster.nodesInFull().get(0);
            assertThat(brief.details())
                    .as("what every load must know")
                    .isEqualTo(new NodeDetails(
                            node.details().modelMemoryBytes(), node.details().modelMemorySource(), 0, List.of(), 0));
            assertThat(node.details().models())
                    .containsExactly(
                            new DiskModel("org/large", 3000),
                            new DiskModel("org/other", 5),
                            new DiskModel("small", 710));
            assertThat(node.details().furtherModels()).isZero();
            assertThat(node.details().modelMemoryBytes()).isPositive().isLessThanOrEqualTo(node.totalMemoryBytes());
            assertThat(node.details().readBytesPerSecond()).isBetween(100_000_000L, 100_000_000_000_000L);
            assertThat(cluster.nodesInFull().get(0).details().readBytesPerSecond())
                    .as("measured once")
                    .isEqualTo(node.details().readBytesPerSecond());
        }
    }

    /** Nodes of one machine have its memory in common: one measures, and all show it. */
    @Test
    void oneNodeOfAMachineMeasuresForAll() {
        try (NodeServer a = NodeServer.start(NodeOptions.loopback("a"), new FakeLoader());
                NodeServer b = NodeServer.start(NodeOptions.loopback("b"), new FakeLoader());
                Cluster cluster = Cluster.of(a.address(), b.address())) {
            List<NodeInfo> nodes = cluster.nodesInFull();
            assertThat(nodes.get(0).details().readBytesPerSecond()).isPositive();
            assertThat(nodes.get(1).details().readBytesPerSecond())
                    .isEqualTo(nodes.get(0).details().readBytesPerSecond());
        }
    }
}
