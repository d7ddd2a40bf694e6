package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
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
    @ValueSource(strings = {"", "a\nb", "\u001b[2J", "a\u202eb", "\u2028"})
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
                .addEngines(EngineState.newBuilder().setName("cpu\r").setDetail("\u0000")));
        assertThat(node.device()).startsWith("M2?error: no model!!!").hasSize(200);
        assertThat(List.of(node.totalMemoryBytes(), node.freeMemoryBytes(), (long) node.processors()))
                .containsOnly(0L);
        assertThat(node.details())
                .isEqualTo(new NodeDetails(0, "?", 0, List.of(new NodeDetails.DiskModel("x?y", 0)), 0));
        assertThat(node.engines().get(0).toString()).isEqualTo("cpu? (missing: ?)");
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
