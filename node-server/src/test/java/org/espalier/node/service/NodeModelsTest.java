package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.checkpoint.HeaderHash;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ClusterException;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.Prompt;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.ModelIdentity;
import org.espalier.v1.Placement;
import org.espalier.v1.Shard;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Client and nodes with folders of their own, as on machines of their own: which files are the model that is meant. */
class NodeModelsTest {

    private static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models");

    @TempDir
    Path folder;

    private Path mine;

    @BeforeEach
    void clientsModel() throws IOException {
        mine = copy("llama-tiny/hf", folder.resolve("client/small"));
    }

    private static Path copy(String golden, Path target) throws IOException {
        Files.createDirectories(target);
        try (Stream<Path> files = Files.list(MODELS.resolve(golden))) {
            for (Path file : files.toList()) {
                Files.copy(file, target.resolve(file.getFileName()));
            }
        }
        return target;
    }

    private Path root(String node) {
        return folder.resolve(node);
    }

    private NodeServer serve(String name) throws IOException {
        return NodeServer.start(
                NodeOptions.loopback(name).withModelRoots(List.of(Files.createDirectories(root(name)))));
    }

    @Test
    void eachNodeFindsTheModelInItsOwnFolders() throws IOException {
        copy("llama-tiny/hf", root("a").resolve("small"));
        copy("llama-tiny/hf", root("b").resolve("models--org--small/snapshots/r"));
        copy("llama-tiny/hf", root("b").resolve("elsewhere/small"));
        try (NodeServer a = serve("a");
                NodeServer b = serve("b");
                Cluster cluster = Cluster.of(List.of(a.address(), b.address()))) {
            Deployment deployment = cluster.load(mine.toString(), LoadOptions.defaults());
            assertThat(deployment.placement().nodes()).containsExactly("a", "b");
            assertThat(deployment.model()).isEqualTo("small");
            assertThat(cluster.generate(
                                    Prompt.tokens(List.of(1, 2, 3)),
                                    GenerateOptions.defaults().withMaxTokens(4).ignoringEos())
                            .tokens())
                    .hasSize(4);
        }
    }

    @Test
    void aNodeWithAnotherFileOfThatNameSaysBothHashes() throws IOException {
        copy("llama-tiny/hf", root("a").resolve("small"));
        Path theirs = copy("deepseek_v3-tiny/hf", root("b").resolve("small"));
        try (NodeServer a = serve("a");
                NodeServer b = serve("b");
                Cluster cluster = Cluster.of(List.of(a.address(), b.address()))) {
            assertThatThrownBy(() -> cluster.load(mine.toString(), LoadOptions.defaults()))
                    .isInstanceOf(ClusterException.class)
                    .hasMessageContaining("node b")
                    .hasMessageContaining("another model has the name small here: expected hash "
                            + HeaderHash.of(mine).substring(0, 16) + ", found hash "
                            + HeaderHash.of(theirs).substring(0, 16) + " in " + theirs);
            assertThat(cluster.nodes())
                    .allSatisfy(node -> assertThat(node.shards()).isEmpty());
        }
    }

    @Test
    void aNodeWithAnotherConfigBesideTheSameWeightsIsRefused() throws IOException {
        copy("llama-tiny/hf", root("a").resolve("small"));
        Path config = copy("llama-tiny/hf", root("b").resolve("small")).resolve("config.json");
        Files.writeString(
                config, Files.readString(config).replaceFirst("\"rope_theta\": [0-9.]+", "\"rope_theta\": 77.0"));
        try (NodeServer a = serve("a");
                NodeServer b = serve("b");
                Cluster cluster = Cluster.of(List.of(a.address(), b.address()))) {
            assertThatThrownBy(() -> cluster.load(mine.toString(), LoadOptions.defaults()))
                    .isInstanceOf(ClusterException.class)
                    .hasMessageContaining("node b")
                    .hasMessageContaining("another model has the name small here");
            assertThat(cluster.nodes())
                    .allSatisfy(node -> assertThat(node.shards()).isEmpty());
        }
    }

    @Test
    void aNodeThatHasNoneSaysWhereItLooked() throws IOException {
        try (NodeServer a = serve("a");
                Cluster cluster = Cluster.of(List.of(a.address()))) {
            assertThatThrownBy(() -> cluster.load(mine.toString(), LoadOptions.defaults()))
                    .hasMessageContaining("node a")
                    .hasMessageContaining("no model small: looked in " + root("a") + "; they hold no model; copy the"
                            + " same files into one of these folders");
        }
    }

    @Test
    void nodesOfTheSameUserTakeAPathOutsideOfEveryFolder() {
        try (Cluster cluster = LocalCluster.embedded();
                Cluster other = LocalCluster.of(List.of(cluster.nodes().get(0).address()))) {
            cluster.load(mine.toString(), LoadOptions.defaults());
            assertThat(cluster.nodes().get(0).shards().get(0).model())
                    .isEqualTo(org.espalier.model.ModelIdentity.of(mine));
            assertThat(other.use("small").model()).isEqualTo("small");
            assertThat(other.model().orElseThrow().path()).isEqualTo(mine);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"..", "../client/small", "/etc", "link", "small\0", "\n", "", "models--x"})
    void noIdentityLeadsANodeOutOfItsFolders(String name) throws IOException {
        refused(name);
    }

    @Test
    void aNameOfAMillionLettersIsRefusedInOneSentence() throws IOException {
        assertThat(refused("x".repeat(1_000_000))).hasSizeLessThan(300);
    }

    private String refused(String name) throws IOException {
        Files.createDirectories(root("a"));
        Files.createSymbolicLink(root("a").resolve("link"), mine);
        try (NodeServer a = serve("a");
                FakeRing ring = new FakeRing(0)) {
            ring.connect(a);
            LoadRequest request = LoadRequest.newBuilder()
                    .setDeployment("d")
                    .setEpoch(1)
                    .setClient("test")
                    .setModel(ModelIdentity.newBuilder()
                            .setName(name)
                            .setRevision("../../client")
                            .setHash(HeaderHash.of(mine))
                            .setPath(mine.toString()))
                    .setPlacement(Placement.newBuilder()
                            .setLayers(3)
                            .addShards(Shard.newBuilder()
                                    .setNode("a")
                                    .setAddress(a.address())
                                    .setEndLayer(3)))
                    .build();
            Throwable[] thrown = new Throwable[1];
            assertThatThrownBy(() -> ring.node(0).load(request).forEachRemaining(progress -> {}))
                    .satisfies(e -> thrown[0] = e);
            assertThat(ring.describe(0).getDeploymentsList()).isEmpty();
            return thrown[0].getMessage();
        }
    }
}
