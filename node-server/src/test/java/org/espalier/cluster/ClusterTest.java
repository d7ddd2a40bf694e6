package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.espalier.model.Model;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.FakeProgram;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.espalier.placement.Placement;
import org.espalier.slice.Share;
import org.espalier.slice.Shares;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a user of the cluster API sees, over three nodes in this JVM with fake models. */
class ClusterTest {

    private static final Prompt PROMPT = Prompt.text("HELLO");

    private final List<FakeLoader> loaders = new ArrayList<>();
    private final List<NodeServer> nodes = new ArrayList<>();
    private Cluster cluster;

    @BeforeEach
    void start() {
        for (int i = 0; i < 3; i++) {
            loaders.add(new FakeLoader());
            nodes.add(NodeServer.start(NodeOptions.loopback("n" + i), loaders.get(i)));
        }
        cluster = connect();
    }

    private Cluster connect() {
        return Cluster.of(nodes.stream().map(NodeServer::address).toList(), new FakeModels());
    }

    @AfterEach
    void stop() {
        cluster.close();
        nodes.forEach(NodeServer::close);
    }

    @Test
    void listsNodes() {
        assertThat(cluster.nodes()).extracting(NodeInfo::name).containsExactly("n0", "n1", "n2");
        assertThat(cluster.nodes()).allSatisfy(node -> {
            assertThat(node.reachable()).isTrue();
            assertThat(node.freeMemoryBytes()).isPositive().isLessThanOrEqualTo(node.totalMemoryBytes());
            assertThat(node.engines()).extracting(EngineInfo::toString).containsExactly("fake (nothing)");
            assertThat(node.device()).isNotBlank();
            assertThat(node.shards()).isEmpty();
        });
    }

    /** Three nodes on one machine read one memory: cutting layers saves nothing, and every exchange costs. */
    @Test
    void placementsAreRankedByWhatNodesMeasured() {
        loaders.get(1).crossingNanos = 180_000;
        Placement sliced = new Placement(
                "pipeline",
                3,
                List.of(
                        new Placement.Shard("n0", 0, 3, Shares.of(Share.equal(0, 2))),
                        new Placement.Shard("n1", 0, 3, Shares.of(Share.equal(1, 2)))));
        try (Model llama =
                Model.open(Path.of("..", "models", "src", "test", "resources", "models", "llama-tiny", "hf"))) {
            List<TimedPlacement> ranked =
                    new TokenTimes(cluster.nodesInFull(), cluster.links(), "").ranked(llama, sliced);
            assertThat(ranked).hasSize(2);
            assertThat(ranked.get(0).placement().nodes()).containsExactly("n0", "n1");
            assertThat(ranked.get(0).placement().shards())
                    .allSatisfy(shard -> assertThat(shard.shares()).isEqualTo(Shares.ALL));
            assertThat(ranked.get(0).time().exchanges()).isZero();
            TokenTime time = ranked.get(1).time();
            assertThat(ranked.get(1).placement()).isEqualTo(sliced);
            assertThat(time.exchanges()).isEqualTo(7); // two in each layer, and the logits
            assertThat(time.crossingSeconds()).isCloseTo(7 * 180e-6, within(1e-12));
            assertThat(time.crossingSource()).isEqualTo("made up");
            assertThat(time.readSeconds()).isPositive();
            assertThat(time.waysKnown()).as("nobody measures loopback").isFalse();
        }
    }

    @Test
    void loadsGeneratesAndSplits() {
        List<String> progress = new ArrayList<>();
        Deployment deployment = cluster.load(
                "m",
                LoadOptions.defaults().withListener((node, done, total) -> progress.add(node + done + "/" + total)));
        assertThat(deployment.id()).isEqualTo("m");
        assertThat(deployment.epoch()).isPositive();
        assertThat(deployment.placement().nodes()).containsExactly("n0", "n1", "n2");
        assertThat(deployment.residentBytes()).isEqualTo(6000);
        assertThat(deployment.engine()).isEqualTo("fake");
        assertThat(deployment.precision()).isEqualTo("float32");
        assertThat(progress).contains("n02000/2000", "n12000/2000", "n22000/2000");

        StringBuilder shown = new StringBuilder();
        List<Integer> heard = new ArrayList<>();
        Generation three = cluster.generate(
                PROMPT,
                GenerateOptions.defaults().withMaxTokens(10).withRouting().withPromptLogits(),
                new GenerationListener() {
                    @Override
                    public void onText(String piece) {
                        shown.append(piece);
                    }

                    @Override
                    public void onToken(int token, float logprob) {
                        assertThat(logprob).isNegative();
                        heard.add(token);
                    }
                });
        assertThat(three.tokens()).hasSize(10).isEqualTo(heard);
        assertThat(three.text()).isEqualTo(shown.toString());
        assertThat(shown).hasSize(10);
        assertThat(three.finish()).isEqualTo(Generation.Finish.LENGTH);
        assertThat(three.promptTokens()).containsExactly(7, 4, 11, 11, 14);
        assertThat(three.promptLogits().orElseThrow()).hasSize(61);
        assertThat(three.trace().orElseThrow().positions()).isEqualTo(14);
        assertThat(three.trace().orElseThrow().layers()).containsExactly(1, 2, 3, 4, 5);
        assertThat(three.timing().firstTokenSeconds()).isPositive();
        assertThat(three.timing().decodeTokensPerSecond()).isPositive();
        assertThat(cluster.trace()).isEqualTo(three.trace());

        cluster.split(LoadOptions.defaults().withNodes(1));
        assertThat(cluster.deployment().orElseThrow().epoch()).isGreaterThan(deployment.epoch());
        assertThat(loaders.get(1).open()).isEmpty();
        assertThat(loaders.get(2).open()).isEmpty();
        Generation one = cluster.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(10));
        assertThat(one.tokens()).isEqualTo(three.tokens());
        assertThat(one.trace()).isEmpty();
        assertThat(cluster.lastGeneration()).contains(one);

        cluster.unload();
        assertThat(loaders).allSatisfy(loader -> assertThat(loader.open()).isEmpty());
        assertThat(cluster.nodes()).allSatisfy(node -> assertThat(node.shards()).isEmpty());
        assertThatThrownBy(() -> cluster.generate(PROMPT, GenerateOptions.defaults()))
                .hasMessage("no model is loaded; load a model first");
    }

    @Test
    void splitKeepsShardsThatDoNotChange() {
        cluster.load("m", LoadOptions.defaults());
        FakeProgram first = loaders.get(0).loaded.get(0);
        cluster.split(
                new Placement(
                        "pipeline",
                        6,
                        List.of(
                                new Placement.Shard("n0", 0, 2),
                                new Placement.Shard("n2", 2, 3),
                                new Placement.Shard("n1", 3, 6))),
                LoadOptions.defaults());
        assertThat(loaders.get(0).loaded).containsExactly(first);
        assertThat(loaders.get(0).open()).containsExactly(first);
        assertThat(loaders.get(1).loaded).hasSize(2);
        assertThat(loaders.get(1).open()).hasSize(1);
        assertThat(cluster.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(4))
                        .tokens())
                .hasSize(4);
    }

    @Test
    void plansWithoutLoading() {
        Placement plan = cluster.plan("m", LoadOptions.defaults());
        assertThat(plan.shards())
                .containsExactly(
                        new Placement.Shard("n0", 0, 2),
                        new Placement.Shard("n1", 2, 4),
                        new Placement.Shard("n2", 4, 6));
        assertThat(loaders).allSatisfy(loader -> assertThat(loader.loaded).isEmpty());
        assertThatThrownBy(() -> cluster.plan("m", LoadOptions.defaults().withNodes(4)))
                .hasMessage("the cluster has 3 nodes, but 4 were asked for; connect more nodes, or ask for fewer");
    }

    @Test
    void nodesOfOneMachineGetEqualPartsWhateverOneOfThemHolds() {
        loaders.get(0).layerBytes = 1L << 45; // far more than any machine of a test has
        cluster.load("m", LoadOptions.defaults().withDeployment("x"));
        assertThat(cluster.plan(LoadOptions.defaults()).shards())
                .containsExactly(
                        new Placement.Shard("n0", 0, 2),
                        new Placement.Shard("n1", 2, 4),
                        new Placement.Shard("n2", 4, 6));
        assertThat(cluster.plan("m", LoadOptions.defaults())) // which makes room for another model too
                .isEqualTo(cluster.plan(LoadOptions.defaults()));
    }

    @Test
    void aFailedLoadLeavesNothingLoaded() {
        assertThatThrownBy(() -> cluster.load("broken:n1", LoadOptions.defaults()))
                .isInstanceOf(ClusterException.class)
                .hasMessage("node n1: tensor x is cut off");
        eventually(() -> loaders.stream().allMatch(loader -> loader.open().isEmpty()));
        assertThat(cluster.nodes()).allSatisfy(node -> assertThat(node.shards()).isEmpty());
        assertThat(cluster.deployment()).isEmpty();
        cluster.load("m", LoadOptions.defaults());
    }

    @Test
    void neverShowsAStopText() {
        cluster.load("m", LoadOptions.defaults());
        String text = cluster.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(12))
                .text();
        String stop = text.substring(5, 8);
        StringBuilder shown = new StringBuilder();
        Generation generation = cluster.generate(
                PROMPT,
                GenerateOptions.defaults().withMaxTokens(12).withStop(List.of(stop, text.charAt(2) + "?")),
                new GenerationListener() {
                    @Override
                    public void onText(String piece) {
                        shown.append(piece);
                    }
                });
        assertThat(generation.finish()).isEqualTo(Generation.Finish.STOP);
        assertThat(generation.text()).isEqualTo(text.substring(0, 5));
        assertThat(shown.toString()).isEqualTo(text.substring(0, 5));
        assertThat(generation.tokens()).hasSize(8);
    }

    @Test
    void cancelAndInterruptEndTheWorkEverywhere() throws Exception {
        cluster.load("m", LoadOptions.defaults());
        loaders.get(2).loaded.get(0).rowMillis = 20;
        RunningGeneration running =
                cluster.start(PROMPT, GenerateOptions.defaults().withMaxTokens(1000), GenerationListener.SILENT);
        eventually(() -> sessions() == 3);
        running.cancel();
        assertThatThrownBy(running::await)
                .isInstanceOf(GenerationCancelledException.class)
                .hasMessage("the generation was cancelled");
        eventually(() -> sessions() == 0);

        Throwable[] thrown = new Throwable[1];
        boolean[] interrupted = new boolean[1];
        Thread cell = new Thread(() -> {
            try {
                cluster.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(1000));
            } catch (ClusterException e) {
                thrown[0] = e;
                interrupted[0] = Thread.currentThread().isInterrupted();
            }
        });
        cell.start();
        eventually(() -> sessions() == 3);
        cell.interrupt();
        cell.join(10_000);
        assertThat(thrown[0]).isInstanceOf(GenerationCancelledException.class);
        assertThat(interrupted[0]).isTrue();
        eventually(() -> sessions() == 0);
    }

    @Test
    void aListenersExceptionEndsTheGeneration() {
        cluster.load("m", LoadOptions.defaults());
        assertThatThrownBy(() -> cluster.generate(
                        PROMPT, GenerateOptions.defaults().withMaxTokens(1000), new GenerationListener() {
                            @Override
                            public void onText(String piece) {
                                throw new IllegalStateException("display is gone");
                            }
                        }))
                .hasMessage("display is gone");
        eventually(() -> sessions() == 0);
    }

    @Test
    void anotherClientMayUseADeploymentButNotReplaceIt() {
        cluster.load("m", LoadOptions.defaults());
        try (Cluster other = connect()) {
            assertThatThrownBy(() -> other.load("m", LoadOptions.defaults()))
                    .isInstanceOf(ClusterException.class)
                    .hasMessageContaining("deployment 'm' is used by ")
                    .hasMessageContaining("or replace it by force");
            other.use("m");
            Generation mine =
                    cluster.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(5));
            assertThat(other.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(5))
                            .tokens())
                    .isEqualTo(mine.tokens());
            eventually(() -> clients() == 2);
            assertThatThrownBy(() -> cluster.split(LoadOptions.defaults().withNodes(2)))
                    .hasMessageContaining("is used by ");
            assertThat(cluster.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(5))
                            .tokens())
                    .isEqualTo(mine.tokens());
            cluster.split(LoadOptions.defaults().withNodes(2).forced());
            assertThatThrownBy(() -> other.generate(PROMPT, GenerateOptions.defaults()))
                    .hasMessageContaining(
                            "epoch " + cluster.deployment().orElseThrow().epoch());
        }
        eventually(() -> clients() == 1);
    }

    @Test
    void unloadingLetsGoOfWhatAnotherClientHasPlacedAgain() {
        cluster.load("m", LoadOptions.defaults());
        try (Cluster other = connect()) {
            Deployment theirs = other.load("m", LoadOptions.defaults().forced());
            eventually(() -> clients() == 2);
            List<FakeProgram> open = open();
            cluster.unload();
            assertThat(cluster.deployment()).isEmpty();
            assertThat(open()).isEqualTo(open);
            assertThat(shards()).hasSize(3).extracting(ShardInfo::epoch).containsOnly(theirs.epoch());
            assertThat(other.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(5))
                            .tokens())
                    .hasSize(5);
            eventually(() -> clients() == 1);
        }
    }

    @Test
    void aRefusedUnloadChangesNothing() {
        Deployment mine = cluster.load("m", LoadOptions.defaults());
        try (Cluster other = connect()) {
            other.use("m");
            eventually(() -> clients() == 2);
            List<FakeProgram> open = open();
            for (Cluster client : List.of(cluster, other)) {
                assertThatThrownBy(client::unload)
                        .isInstanceOf(ClusterException.class)
                        .hasMessageContaining("deployment 'm' is used by another client")
                        .hasMessageContaining("or replace it by force");
            }
            assertThat(open()).isEqualTo(open).hasSize(3);
            assertThat(cluster.deployment()).contains(mine);
            for (Cluster client : List.of(cluster, other)) {
                assertThat(client.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(5))
                                .tokens())
                        .hasSize(5);
            }
        }
    }

    @Test
    void anotherModelInPlaceOfOneThatIsReplacedLoads() {
        cluster.load("m", LoadOptions.defaults());
        try (Cluster other = connect()) {
            other.load("m", LoadOptions.defaults().forced());
            eventually(() -> clients() == 2);
            cluster.load("m", LoadOptions.defaults().withDeployment("mine"));
            for (Cluster client : List.of(cluster, other)) {
                assertThat(client.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(5))
                                .tokens())
                        .hasSize(5);
            }
        }
    }

    @Test
    void aForcedUnloadFreesWhatAnotherClientUses() {
        cluster.load("m", LoadOptions.defaults());
        try (Cluster other = connect()) {
            other.use("m");
            eventually(() -> clients() == 2);
            assertThatThrownBy(cluster::unload).isInstanceOf(ClusterException.class);
            cluster.forceUnload();
            assertThat(open()).isEmpty();
            assertThat(cluster.deployment()).isEmpty();
            assertThatThrownBy(() -> other.generate(PROMPT, GenerateOptions.defaults()))
                    .hasMessageContaining("node n0 has no deployment 'm'");
        }
    }

    @Test
    void aLostHeadDoesNotKeepTheOthersFromBeingFreed() {
        cluster.load("m", LoadOptions.defaults());
        nodes.get(0).close();
        cluster.unload();
        assertThat(open()).isEmpty();
        assertThat(cluster.deployment()).isEmpty();
    }

    private List<FakeProgram> open() {
        return loaders.stream().flatMap(loader -> loader.open().stream()).toList();
    }

    @Test
    void aLostNodeIsNamed() {
        cluster.load("m", LoadOptions.defaults());
        loaders.get(0).loaded.get(0).rowMillis = 20;
        RunningGeneration running =
                cluster.start(PROMPT, GenerateOptions.defaults().withMaxTokens(1000), GenerationListener.SILENT);
        eventually(() -> sessions() == 3);
        nodes.get(1).close();
        assertThatThrownBy(running::await)
                .isInstanceOfSatisfying(
                        NodeLostException.class, lost -> assertThat(lost.node()).isEqualTo("n1"))
                .hasMessageContaining("node n1 (" + nodes.get(1).address() + ") is lost: ");
        assertThat(cluster.nodes()).extracting(NodeInfo::reachable).containsExactly(true, false, true);
        assertThat(cluster.deployments().get(0).missing()).containsExactly("n1");
        assertThat(cluster.load(LoadOptions.defaults()).placement().nodes()).containsExactly("n0", "n2");
        assertThat(cluster.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(3))
                        .tokens())
                .hasSize(3);
    }

    @Test
    void aLostHeadIsNamed() {
        cluster.load("m", LoadOptions.defaults());
        loaders.get(0).loaded.get(0).rowMillis = 20;
        RunningGeneration running =
                cluster.start(PROMPT, GenerateOptions.defaults().withMaxTokens(1000), GenerationListener.SILENT);
        eventually(() -> sessions() == 3);
        nodes.get(0).close();
        assertThatThrownBy(running::await)
                .isInstanceOfSatisfying(
                        NodeLostException.class, lost -> assertThat(lost.node()).isEqualTo("n0"))
                .hasMessageContaining("node n0 (" + nodes.get(0).address() + ") is lost: ");
    }

    @Test
    void saysWhatIsWrongWithAddresses() {
        assertThatThrownBy(() -> Cluster.of(List.of())).hasMessageContaining("no node address was given");
        assertThatThrownBy(() -> Cluster.of(List.of("localhost")))
                .hasMessage(
                        "'localhost' is not an address: write HOST:PORT, for instance 127.0.0.1:41234, or tls://HOST:PORT");
        assertThatThrownBy(() -> Cluster.of(List.of("127.0.0.1:1")))
                .hasMessageContaining("nothing answers at 127.0.0.1:1: start a node there with `espalier-node serve");
        assertThatThrownBy(() -> Cluster.of(List.of("plain://10.1.2.3:4000")))
                .hasMessageContaining("plain text is for loopback only, and ");
        String twice = nodes.get(0).address();
        assertThatThrownBy(() -> Cluster.of(List.of(twice, twice))).hasMessageContaining("two nodes have the name n0");
    }

    private int sessions() {
        return shards().stream().mapToInt(ShardInfo::sessions).sum();
    }

    private int clients() {
        return shards().stream().mapToInt(shard -> shard.clients().size()).sum();
    }

    private List<ShardInfo> shards() {
        return cluster.nodes().stream().flatMap(node -> node.shards().stream()).toList();
    }

    private static void eventually(BooleanSupplier condition) {
        long until = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("did not come in time").isLessThan(until);
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
