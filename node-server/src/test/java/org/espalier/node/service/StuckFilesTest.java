package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.espalier.engine.EngineOptions;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.model.ModelIdentity;
import org.espalier.node.shard.Engines;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Placement;
import org.espalier.v1.Shard;
import org.espalier.v1.UnloadRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real models on a share of which one file does not answer. */
@Timeout(60)
class StuckFilesTest {

    private static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models");
    private static final String STUCK = "llama-tiny/hf";
    private static final String OTHER = "deepseek_v3-tiny/mlx4";

    private final Set<String> waits = ConcurrentHashMap.newKeySet();
    private StuckFileSystem files;
    private NodeServer node;
    private ManagedChannel channel;

    private void serve(String stuck) {
        serve(stuck, Limits.usual(), new Engines(""));
    }

    private void serve(String stuck, Limits limits, Engines engines) {
        files = new StuckFileSystem(STUCK + "/" + stuck);
        List<Path> roots = List.of(
                files.of(MODELS.resolve("llama-tiny").toAbsolutePath().normalize()),
                files.of(MODELS.resolve("deepseek_v3-tiny").toAbsolutePath().normalize()));
        node = NodeServer.start(
                NodeOptions.loopback("n0").with(limits),
                new ModelShards(roots, engines, EngineOptions.FLOAT32, Machine::freeBytes, limits));
        channel = Grpc.newChannelBuilder(node.address(), InsecureChannelCredentials.create())
                .build();
    }

    @AfterEach
    void close() {
        files.answer();
        channel.shutdownNow();
        node.close();
    }

    private NodeGrpc.NodeBlockingStub calls() {
        return NodeGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
    }

    private void load(String model, int layers) {
        ModelIdentity identity = ModelIdentity.of(MODELS.resolve(model));
        calls().load(LoadRequest.newBuilder()
                        .setDeployment(model)
                        .setEpoch(1)
                        .setClient("test")
                        .setPrecision("float32")
                        .setModel(org.espalier.v1.ModelIdentity.newBuilder()
                                .setName(identity.name())
                                .setHash(identity.hash()))
                        .setPlacement(Placement.newBuilder()
                                .setStrategy("pipeline")
                                .setLayers(layers)
                                .addShards(Shard.newBuilder()
                                        .setNode("n0")
                                        .setAddress(node.address())
                                        .setEndLayer(layers)))
                        .build())
                .forEachRemaining(progress -> waits.add(progress.getWaitingFor()));
        calls().join(JoinRequest.newBuilder().setDeployment(model).setEpoch(1).build());
    }

    private List<GenerateReply> generate(String model, String... stops) {
        List<GenerateReply> replies = new ArrayList<>();
        calls().generate(request(model, stops)).forEachRemaining(replies::add);
        return replies;
    }

    private static GenerateRequest request(String model, String... stops) {
        return GenerateRequest.newBuilder()
                .setDeployment(model)
                .setEpoch(1)
                .setClient("test")
                .addPrompt(1)
                .setMaxTokens(3)
                .addAllStopStrings(List.of(stops))
                .build();
    }

    private long unload(String model) {
        return calls().unload(UnloadRequest.newBuilder()
                        .setDeployment(model)
                        .setClient("test")
                        .build())
                .getFreedBytes();
    }

    private CompletableFuture<Throwable> waiting(Runnable call) throws InterruptedException {
        CompletableFuture<Throwable> failure = CompletableFuture.supplyAsync(() -> catchThrowable(call::run));
        assertThat(files.waiting.await(20, TimeUnit.SECONDS)).isTrue();
        return failure;
    }

    private static Failure failure(CompletableFuture<Throwable> call) throws Exception {
        return FailureStatus.details(call.get(20, TimeUnit.SECONDS)).orElseThrow();
    }

    private void othersGoOn() {
        load(OTHER, 4);
        assertThat(FakeRing.tokens(generate(OTHER))).hasSize(3);
        assertThat(unload(OTHER)).isPositive();
    }

    @Test
    void aFileThatDoesNotAnswerIsNamedAndTheLoadGivenUp() throws Exception {
        serve("config.json", new Limits(Map.of(Limit.LOAD_SECONDS, 2)), new Engines(""));
        Failure why = failure(waiting(() -> load(STUCK, 3)));
        String file = "the files of " + ModelIdentity.of(MODELS.resolve(STUCK)).name() + ", now "
                + MODELS.resolve(STUCK).toAbsolutePath().normalize() + "/config.json";
        assertThat(why.kind()).isEqualTo(Failure.Kind.TIMED_OUT);
        assertThat(why.message())
                .isEqualTo(
                        "node n0 has waited 2 s for " + file + ": the share or disk that they lie on does not answer;"
                                + " the thread that reads its files does not come back and is left behind");
        assertThat(waits).contains(file);
        othersGoOn();
    }

    @Test
    void anEngineThatIsBusyIsNoShareThatDoesNotAnswer() throws Exception {
        Engines engines = new Engines("reference");
        serve("none", new Limits(Map.of(Limit.LOAD_SECONDS, 1)), engines);
        CountDownLatch idle = new CountDownLatch(1);
        CompletableFuture<Boolean> busy = CompletableFuture.supplyAsync(
                () -> engines.choose("", null, null).thread().call(() -> idle.await(30, TimeUnit.SECONDS)));
        Throwable failed = catchThrowable(() -> load(STUCK, 3));
        idle.countDown();
        assertThat(busy.get(20, TimeUnit.SECONDS)).isTrue();
        assertThat(FailureStatus.details(failed).orElseThrow().message())
                .isEqualTo(
                        "node n0 has waited 5 s for the engine, which is busy with another deployment: load again when"
                                + " that has ended; its engine is busy, and frees what was loaded once it comes to that");
        assertThat(waits).contains("the engine, which is busy with another deployment");
        load(STUCK, 3);
        assertThat(FakeRing.tokens(generate(STUCK))).hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "model.safetensors"})
    void aLoadThatWaitsForAFileHoldsNobodyUp(String stuck) throws Exception {
        serve(stuck);
        CompletableFuture<Throwable> load = waiting(() -> load(STUCK, 3));
        othersGoOn();
        unload(STUCK);
        assertThat(failure(load).message())
                .isEqualTo("deployment '" + STUCK + "' was unloaded on node n0 while it was loaded; the thread that"
                        + " reads its files does not come back and is left behind");
        CompletableFuture.runAsync(node::close).get(10, TimeUnit.SECONDS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"tokenizer.json", "tokenizer_config.json"})
    void aGenerationThatWaitsForItsTokenizerIsAnsweredWhenTheModelGoes(String stuck) throws Exception {
        serve(stuck);
        load(STUCK, 3);
        assertThat(FakeRing.tokens(generate(STUCK))).hasSize(3);
        CompletableFuture<Throwable> generation = waiting(() -> generate(STUCK, "zzz"));
        othersGoOn();
        assertThat(FakeRing.tokens(generate(STUCK))).hasSize(3);
        assertThat(unload(STUCK)).isPositive();
        assertThat(failure(generation).message()).isEqualTo("deployment '" + STUCK + "' was unloaded on node n0");
        files.answer();
        othersGoOn();
    }

    /** More generations than a connection's requests that may be begun at once. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void generationsThatWaitForATokenizerHoldNoThread(boolean cancelled) throws Exception {
        serve("tokenizer.json", new Limits(Map.of(Limit.CONNECTION_REQUESTS, 4, Limit.REQUESTS, 4)), new Engines(""));
        load(STUCK, 3);
        List<Heard> generations = new ArrayList<>();
        Context.CancellableContext calls = Context.current().withCancellation();
        for (int i = 0; i < 12; i++) {
            Heard heard = new Heard();
            generations.add(heard);
            calls.run(() -> NodeGrpc.newStub(channel).generate(request(STUCK, "zzz"), heard));
            FakeRing.eventually(Duration.ofSeconds(20), () -> !heard.replies.isEmpty()); // it is alive
        }
        assertThat(threads("espalier-tokenizer")).isEqualTo(1);
        if (cancelled) {
            calls.cancel(null);
            for (Heard heard : generations) {
                assertThat(failure(heard)).hasMessageStartingWith("CANCELLED");
            }
        }
        assertThat(FakeRing.tokens(generate(STUCK))).hasSize(3);
        assertThat(unload(STUCK)).isPositive();
        if (!cancelled) {
            for (Heard heard : generations) {
                assertThat(FailureStatus.details(failure(heard)).orElseThrow().message())
                        .isEqualTo("deployment '" + STUCK + "' was unloaded on node n0");
            }
        }
    }

    @Test
    void aTokenizerThatDoesNotAnswerIsGivenUpAndOpenedOnceItDoes() throws Exception {
        serve("tokenizer.json", new Limits(Map.of(Limit.LOAD_SECONDS, 2)), new Engines(""));
        load(STUCK, 3);
        assertThat(failure(waiting(() -> generate(STUCK, "zzz"))).message())
                .isEqualTo("node n0 has waited 2 s for the tokenizer of "
                        + ModelIdentity.of(MODELS.resolve(STUCK)).name()
                        + ": the share or disk that its files lie on does not answer; leave out stop texts");
        files.answer();
        assertThat(FakeRing.tokens(generate(STUCK, "zzz"))).hasSize(3);
    }

    private static Throwable failure(Heard heard) {
        return catchThrowable(heard::all).getCause();
    }

    private static long threads(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(name))
                .count();
    }
}
