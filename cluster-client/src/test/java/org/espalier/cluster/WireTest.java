package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.espalier.v1.DeploymentState;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.EngineState;
import org.espalier.v1.ModelOnDisk;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node may say anything of itself. */
class WireTest {

    private static NodeInfo read(DescribeReply.Builder reply) {
        return Wire.node("127.0.0.1:5", Optional.empty(), reply.build());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a\nb", "\u001b[2J", "a\u202eb", "\u2028", "\u009b2J", "a\ud800"})
    void aNameThatCannotBeShownIsRefused(String name) {
        assertThatThrownBy(() -> read(DescribeReply.newBuilder().setNode(name)))
                .isInstanceOf(ClusterException.class)
                .hasMessageStartingWith("the node at 127.0.0.1:5 calls itself '")
                .hasMessageEndingWith(
                        "', expected a name of 1 to 200 printable characters: restart it with another `--name`");
    }

    @Test
    void aNameWithoutEndIsRefused() {
        assertThatThrownBy(() -> read(DescribeReply.newBuilder().setNode("n".repeat(1_000_000))))
                .hasMessageStartingWith("the node at 127.0.0.1:5 calls itself '" + "n".repeat(200) + "', expected");
    }

    @Test
    void whatItSaysIsOneLineAndNumbersAreNotNegative() {
        NodeInfo node = read(DescribeReply.newBuilder()
                .setNode("a")
                .setDevice("M2\nerror: no model" + "!".repeat(500))
                .setTotalMemoryBytes(-1)
                .setFreeMemoryBytes(Long.MIN_VALUE)
                .setProcessors(-8)
                .setModelMemoryBytes(-1)
                .setModelMemorySource("\u0007")
                .setReadBytesPerSecond(-1)
                .setFurtherModels(-3)
                .addModels(ModelOnDisk.newBuilder().setName("x\ty").setBytes(-9))
                .addEngines(EngineState.newBuilder()
                        .setName("cpu\r")
                        .setDetail("\u0000")
                        .setCrossingNanos(-1)
                        .setCrossingSource("\n"))
                .addEngines(EngineState.newBuilder().setName("mlx").setCrossingNanos(Long.MAX_VALUE)));
        assertThat(node.device()).startsWith("M2?error: no model!!!").hasSize(200);
        assertThat(List.of(node.totalMemoryBytes(), node.freeMemoryBytes(), (long) node.processors()))
                .containsOnly(0L);
        assertThat(node.details())
                .isEqualTo(new NodeDetails(0, "?", 0, List.of(new NodeDetails.DiskModel("x?y", 0)), 0));
        assertThat(node.engines().get(0).toString()).isEqualTo("cpu? (missing: ?)");
        assertThat(node.engines().get(0).crossing()).isEqualTo(new EngineInfo.Crossing(0, "?"));
        assertThat(node.engines().get(1).crossing()).isEqualTo(new EngineInfo.Crossing(1_000_000_000, ""));
    }

    /** A deployment is named by whoever loaded it, and told of by the node. */
    @Test
    void whatItSaysOfDeploymentsIsOneLineToo() {
        ShardInfo shard = read(DescribeReply.newBuilder()
                        .setNode("a")
                        .setFreeMemoryBytes(Long.MAX_VALUE)
                        .addDeployments(DeploymentState.newBuilder()
                                .setDeployment("demo\u001b]0;owned\u0007")
                                .setOwner("me\u009b31m")
                                .addClients("you\r\n")
                                .setEngine("cpu\u202e")
                                .setPrecision("fast\u2029")
                                .setResidentBytes(Long.MAX_VALUE)
                                .setSessions(-1)
                                .setModel(org.espalier.v1.ModelIdentity.newBuilder()
                                        .setName("m\u001b[2J")
                                        .setHash("0".repeat(64)))
                                .setPlacement(org.espalier.v1.Placement.newBuilder()
                                        .setStrategy("pipeline")
                                        .setLayers(1)
                                        .addShards(org.espalier.v1.Shard.newBuilder()
                                                .setNode("b\u001b[1m")
                                                .setEndLayer(1)))))
                .shards()
                .get(0);
        assertThat(shard.deployment()).isEqualTo("demo?]0;owned?");
        assertThat(shard.owner()).isEqualTo("me?31m");
        assertThat(shard.clients()).containsExactly("you??");
        assertThat(shard.engine() + shard.precision()).isEqualTo("cpu?fast?");
        assertThat(shard.model().name()).isEqualTo("m?[2J");
        assertThat(shard.sessions()).isZero();
        assertThat(shard.residentBytes()).as("sums must not overflow").isEqualTo(1L << 50);
        assertThat(shard.placement().nodes()).containsExactly("b?[1m");
    }

    @Test
    void listsWithoutEndAreRefused() {
        DescribeReply.Builder models = DescribeReply.newBuilder().setNode("a");
        DescribeReply.Builder engines = DescribeReply.newBuilder().setNode("a");
        for (int i = 0; i < 1001; i++) {
            models.addModels(ModelOnDisk.getDefaultInstance());
            engines.addEngines(EngineState.getDefaultInstance());
        }
        assertThatThrownBy(() -> read(models))
                .hasMessage(
                        "the node at 127.0.0.1:5 lists 1001 models, expected at most 1000: is it a node of Espalier?");
        assertThatThrownBy(() -> read(engines)).hasMessageContaining("lists 1001 engines");
    }
}
