package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.FakeProgram;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The model that serves, while another one is loaded in its place: over two nodes in this JVM with fake models. */
class ReplacedModelTest {

    private static final Prompt PROMPT = Prompt.text("HELLO");
    private static final GenerateOptions THREE = GenerateOptions.defaults().withMaxTokens(3);

    private final List<FakeLoader> loaders = List.of(new FakeLoader(), new FakeLoader());
    private final List<NodeServer> nodes = new ArrayList<>();
    private final FakeModels models = new FakeModels();
    private Cluster cluster;
    private List<Integer> answer;

    @BeforeEach
    void load() {
        for (int i = 0; i < loaders.size(); i++) {
            nodes.add(NodeServer.start(NodeOptions.loopback("n" + i), loaders.get(i)));
        }
        cluster = connect();
    }

    private Cluster connect() {
        return Cluster.of(nodes.stream().map(NodeServer::address).toList(), models);
    }

    private void loadOld() {
        cluster.load("old");
        answer = cluster.generate(PROMPT, THREE).tokens();
    }

    @AfterEach
    void stop() {
        cluster.close();
        nodes.forEach(NodeServer::close);
    }

    private List<FakeProgram> open() {
        return loaders.stream().flatMap(loader -> loader.open().stream()).toList();
    }

    /** What a cancelled load has made is freed on its node's own time. */
    private void assertOpen(Consumer<List<FakeProgram>> expected) throws InterruptedException {
        long until = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (open().size() != loaders.size() && System.nanoTime() < until) {
            Thread.sleep(20);
        }
        expected.accept(open());
    }

    private void assertOldServes() throws InterruptedException {
        assertThat(cluster.deployment().orElseThrow().id()).isEqualTo("old");
        assertThat(cluster.generate(PROMPT, THREE).tokens()).isEqualTo(answer);
        assertThat(models.opened().get(0).closes()).hasValue(0);
        assertThat(cluster.deployments()).extracting(Deployment::id).containsExactly("old");
        assertOpen(open -> assertThat(open).hasSize(2));
    }

    @Test
    void staysUntilTheNewOneServes() throws InterruptedException {
        loadOld();
        List<FakeProgram> programs = open();
        loaders.get(0).whileLoading =
                cancel -> assertThat(cluster.generate(PROMPT, THREE).tokens()).isEqualTo(answer);
        assertThatThrownBy(() -> cluster.load("broken:n1"))
                .hasMessage("node n1: tensor x is cut off; 'old' is still loaded")
                .isInstanceOfSatisfying(
                        NodeException.class, e -> assertThat(e.node()).isEqualTo("n1"));
        assertOpen(open -> assertThat(open).isEqualTo(programs));
        assertOldServes();
        cluster.load("new");
        assertThat(cluster.deployments()).extracting(Deployment::id).containsExactly("new");
        assertThat(open()).hasSize(2).doesNotContainAnyElementsOf(programs);
        assertThat(models.opened().get(0).closes()).hasValue(1);
    }

    @Test
    void isLoadedAgainWhereMemoryCannotHoldBoth() throws InterruptedException {
        loaders.forEach(loader -> loader.layerBytes = 2 * FakeModel.VAST);
        loadOld();
        List<FakeProgram> programs = open();
        assertThatThrownBy(() -> cluster.load("vast-broken:n1"))
                .hasMessage("node n1: tensor x is cut off; 'old', which had made room, was loaded again");
        assertOpen(open -> assertThat(open).doesNotContainAnyElementsOf(programs));
        assertOldServes();
        assertThat(cluster.load("vast").id()).isEqualTo("vast");
    }

    @Test
    void isLoadedAgainWhereANodeHadLessMemoryThanItSaid() throws InterruptedException {
        loadOld();
        assertThatThrownBy(() -> cluster.load("large:n1"))
                .hasMessageStartingWith("node n1 does not have enough memory for its shard of large:n1 (heap)")
                .hasMessageContaining("; 'old', which had made room, was loaded again");
        assertOldServes();
    }

    @Test
    void isLoadedAgainIfItsOwnPlaceIsTakenByOneThatFails() throws InterruptedException {
        loadOld();
        assertThatThrownBy(
                        () -> cluster.load("broken:n1", LoadOptions.defaults().withDeployment("old")))
                .hasMessage("node n1: tensor x is cut off; 'old', which had made room, was loaded again");
        assertOldServes();
        assertThat(cluster.deployment().orElseThrow().model()).isEqualTo("old");
    }

    @Test
    void isNotTouchedByAnEngineThatANodeDoesNotHave() throws InterruptedException {
        loadOld();
        List<FakeProgram> programs = open();
        for (String name : List.of("old", "new")) {
            assertThatThrownBy(() -> cluster.load(name, LoadOptions.defaults().withEngine("steam")))
                    .hasMessage("node n0 has no engine 'steam': it has fake");
        }
        assertOpen(open -> assertThat(open).isEqualTo(programs));
        assertOldServes();
    }

    @Test
    void staysIfLoadingIsInterrupted() throws InterruptedException {
        loadOld();
        CountDownLatch loading = new CountDownLatch(1);
        loaders.get(1).whileLoading = cancel -> {
            loading.countDown();
            while (!cancel.isSet()) {
                Thread.onSpinWait();
            }
        };
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread cell = new Thread(() -> {
            try {
                cluster.load("new");
            } catch (ClusterException e) {
                thrown.set(Thread.currentThread().isInterrupted() ? e : new AssertionError("the interrupt was lost"));
            }
        });
        cell.start();
        loading.await();
        cell.interrupt();
        cell.join(20_000);
        assertThat(thrown.get()).isInstanceOf(ClusterException.class).hasMessageContaining("'old' is still loaded");
        assertOldServes();
    }

    @Test
    void staysWithOthersThatUseIt() {
        loadOld();
        try (Cluster other = connect()) {
            other.use("old");
            cluster.load("new");
            assertThat(cluster.deployments()).extracting(Deployment::id).containsExactly("new", "old");
            assertThat(other.generate(PROMPT, THREE).tokens()).isEqualTo(answer);
        }
    }

    @Test
    void anotherClientSeesUsesAndFreesIt() {
        loadOld();
        try (Cluster other = connect()) {
            assertThat(other.deployments()).extracting(Deployment::id).containsExactly("old");
            assertThatThrownBy(() -> other.use("odd"))
                    .hasMessageStartingWith("no node has a deployment 'odd': they hold old");
            assertThatThrownBy(() -> other.unload("old"))
                    .hasMessageContaining("deployment 'old' is used by another client");
            other.forceUnload("old");
            assertThat(other.deployments()).isEmpty();
            assertThat(open()).isEmpty();
        }
    }

    @Test
    void nodesThatDoNotAnswerAreLeftOut() {
        loadOld();
        nodes.get(1).close();
        assertThat(cluster.deployments().get(0).missing()).containsExactly("n1");
        assertThat(cluster.deployments().get(0)).asString().endsWith("does not serve without n1");
        assertThatThrownBy(() -> cluster.load("old", LoadOptions.defaults().withNodes(2)))
                .hasMessageStartingWith("the cluster has 2 nodes, of which n1 does not answer, but 2 were asked for");
        assertThat(cluster.load(LoadOptions.defaults()).placement().nodes()).containsExactly("n0");
        assertThat(cluster.generate(PROMPT, THREE).tokens()).isEqualTo(answer);
    }
}
