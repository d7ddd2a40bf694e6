package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.espalier.node.service.FakeLoader;
import org.espalier.node.service.NodeOptions;
import org.espalier.node.service.NodeServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The client's model holds a native tokenizer: it is closed once nobody uses it any more, and not before. */
class ClosedModelsTest {

    private static final Prompt PROMPT = Prompt.text("HELLO");
    private static final GenerateOptions LONG = GenerateOptions.defaults().withMaxTokens(1000);

    private final FakeModels models = new FakeModels();
    private final FakeLoader loader = new FakeLoader();
    private NodeServer node;
    private Cluster cluster;

    @BeforeEach
    void start() {
        node = NodeServer.start(NodeOptions.loopback("n0"), loader);
        cluster = Cluster.of(List.of(node.address()), models);
    }

    @AfterEach
    void stop() {
        cluster.close();
        node.close();
    }

    private int closes(int opened) {
        return models.opened().get(opened).closes().get();
    }

    @Test
    void unloadingClosesIt() {
        cluster.load("a", LoadOptions.defaults());
        cluster.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(3));
        cluster.split(LoadOptions.defaults());
        assertThat(closes(0)).isZero();
        cluster.unload();
        assertThat(closes(0)).isEqualTo(1);
        cluster.unload();
        cluster.close();
        assertThat(closes(0)).isEqualTo(1);
    }

    @Test
    void closingTheClusterClosesIt() {
        cluster.load("a", LoadOptions.defaults());
        cluster.close();
        cluster.close();
        assertThat(closes(0)).isEqualTo(1);
    }

    @Test
    @Timeout(60)
    void closingTheClusterEndsALoadOnAnotherThread() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        loader.whileLoading = cancel -> {
            begun.countDown();
            while (!cancel.isSet()) {
                Thread.onSpinWait();
            }
        };
        CompletableFuture<Boolean> interruptedAfter = new CompletableFuture<>();
        CompletableFuture<Throwable> failure = new CompletableFuture<>();
        new Thread(() -> {
                    failure.complete(catchThrowable(() -> cluster.load("a", LoadOptions.defaults())));
                    interruptedAfter.complete(Thread.interrupted());
                })
                .start();
        begun.await();
        cluster.close();
        assertThat(failure.get())
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("the model was not loaded: the cluster was closed meanwhile");
        assertThat(interruptedAfter.get()).isFalse();
        assertThat(closes(0)).isEqualTo(1);
    }

    @Test
    void anotherModelInItsPlaceClosesIt() {
        cluster.load("a", LoadOptions.defaults());
        cluster.load("b", LoadOptions.defaults());
        assertThat(closes(0)).isEqualTo(1);
        cluster.load("b", LoadOptions.defaults()); // the same name, opened again
        assertThat(closes(1)).isEqualTo(1);
        cluster.use("b");
        assertThat(closes(2)).isEqualTo(1);
        assertThat(models.opened()).hasSize(4);
        assertThat(closes(3)).isZero();
        cluster.generate(PROMPT, GenerateOptions.defaults().withMaxTokens(3));
    }

    @Test
    void whatIsOnlyPlannedOrFailsIsClosedAtOnce() {
        cluster.plan("a", LoadOptions.defaults());
        assertThat(closes(0)).isEqualTo(1);
        assertThatThrownBy(() -> cluster.plan("a", LoadOptions.defaults().withNodes(7)))
                .isInstanceOf(ClusterException.class);
        assertThat(closes(1)).isEqualTo(1);
        assertThatThrownBy(() -> cluster.load("broken:n0", LoadOptions.defaults()))
                .isInstanceOf(ClusterException.class);
        assertThat(closes(2)).isEqualTo(1);
    }

    @Test
    void aGenerationKeepsItOpenUntilItIsOver() {
        cluster.load("a", LoadOptions.defaults());
        loader.loaded.get(0).rowMillis = 5;
        RunningGeneration running = cluster.start(PROMPT, LONG, new GenerationListener() {
            @Override
            public void onText(String piece) {
                cluster.unload();
                assertThat(closes(0)).isZero(); // and the model itself refuses to make text once it is closed
            }
        });
        assertThatThrownBy(running::await).isInstanceOf(ClusterException.class);
        assertThat(closes(0)).isEqualTo(1);
    }

    @Test
    void aFinishedGenerationThatIsReadLaterKeepsItOpen() {
        cluster.load("a", LoadOptions.defaults());
        RunningGeneration running =
                cluster.start(PROMPT, GenerateOptions.defaults().withMaxTokens(3), GenerationListener.SILENT);
        cluster.load("b", LoadOptions.defaults().withDeployment("a").forced());
        assertThat(closes(0)).isZero();
        try {
            assertThat(running.await().tokens()).hasSize(3);
        } catch (ClusterException e) {
            // the new placement came before the third token
        }
        assertThat(closes(0)).isEqualTo(1);
    }

    @Test
    void aGenerationThatNobodyWaitsForDoesNotKeepItBeyondTheCluster() {
        cluster.load("a", LoadOptions.defaults());
        RunningGeneration running = cluster.start(PROMPT, LONG, GenerationListener.SILENT);
        cluster.close();
        assertThat(closes(0)).isEqualTo(1);
        assertThatThrownBy(running::await).isInstanceOf(GenerationCancelledException.class);
        assertThat(closes(0)).isEqualTo(1);
    }

    @Test
    void aPromptThatCannotBeEncodedLetsGo() {
        cluster.load("a", LoadOptions.defaults());
        assertThatThrownBy(() -> cluster.generate(new Prompt.Chat(List.of()), LONG))
                .isInstanceOf(RuntimeException.class);
        cluster.unload();
        assertThat(closes(0)).isEqualTo(1);
    }
}
