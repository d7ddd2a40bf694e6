package org.espalier.node.service;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.espalier.EspalierException;
import org.espalier.config.RoutedExperts;
import org.espalier.engine.Cancel;
import org.espalier.engine.LoadedProgram;
import org.espalier.node.ring.StageShard;
import org.espalier.node.ring.StepRows;
import org.espalier.node.ring.TokenText;
import org.espalier.v1.EngineState;

/** Loads {@link FakeProgram}s; a model named {@code broken:NODE} or {@code large:NODE} fails on that node. Token t is the letter of that number. */
public final class FakeLoader implements ShardLoader {

    static final int CONTEXT = 2000;

    /** What shards that are loaded from now on say of themselves. */
    public volatile String engine = "fake";

    public volatile String precision = "float32";
    public volatile int activationBytes = Float.BYTES;
    /** Rows that their layers see; 0: all. With a window no more than {@code SPARE} rows can be cut off a session. */
    public volatile int window;

    /** The last phase of each load, when its program exists already. */
    public volatile Consumer<Cancel> whileLoading = cancel -> {};

    /** Happens once, when a shard that was loaded becomes a member of its ring. */
    final AtomicReference<Runnable> whilePlacing = new AtomicReference<>(() -> {});

    /** Happens while a generation with stop strings opens the tokenizer. */
    public volatile Runnable whileOpeningText = () -> {};

    /** Rows for which there is KV memory. */
    public volatile long kvRows = Integer.MAX_VALUE;
    /** The most rows of a step. */
    public volatile int stepRows = StepRows.MOST;
    /** What an exchange within a step is said to cost. */
    public volatile long crossingNanos;

    /** Bytes that each layer says it occupies. */
    public volatile long layerBytes = 1000;

    private final FakeEngine fakes = new FakeEngine();
    public final List<FakeProgram> loaded = new CopyOnWriteArrayList<>();

    @Override
    public List<EngineState> engines() {
        return List.of(EngineState.newBuilder()
                .setName("fake")
                .setDetail("nothing")
                .setAvailability(EngineState.Availability.READY)
                .setCrossingNanos(crossingNanos)
                .setCrossingSource("made up")
                .build());
    }

    @Override
    public StageShard load(Order order, Progress progress, Cancel cancel) {
        if (order.model().name().endsWith("broken:" + order.node())) {
            throw new EspalierException("tensor x is cut off");
        }
        if (order.model().name().endsWith("large:" + order.node())) {
            throw new OutOfMemoryError("heap");
        }
        FakeProgram program = new FakeProgram(
                order.layers().first(), order.layers().end(), order.layers().all(), activationBytes, window);
        program.layerBytes = layerBytes;
        program.kvRows = kvRows;
        progress.report(program.residentBytes() / 2, program.residentBytes());
        loaded.add(program);
        FakeShard shard = new FakeShard(fakes.load(program), stepRows, engine, precision, this);
        whileLoading.accept(cancel);
        return shard;
    }

    @Override
    public void close() {
        fakes.close();
    }

    public List<FakeProgram> open() {
        List<FakeProgram> open = new ArrayList<>(loaded);
        open.removeIf(program -> program.closed);
        return open;
    }

    private record FakeShard(LoadedProgram fake, int stepRows, String engine, String precision, FakeLoader loader)
            implements StageShard {
        @Override
        public LoadedProgram program() {
            loader.whilePlacing.getAndSet(() -> {}).run();
            return fake;
        }

        @Override
        public int context() {
            return CONTEXT;
        }

        @Override
        public int vocabulary() {
            return FakeProgram.VOCABULARY;
        }

        @Override
        public Optional<RoutedExperts> moe() {
            return Optional.of(new RoutedExperts(FakeProgram.EXPERTS, FakeProgram.WIDTH, 8, List.of(1, 2)));
        }

        @Override
        public TokenText text() {
            loader.whileOpeningText.run();
            return token -> String.valueOf((char) ('A' + token));
        }

        @Override
        public void close() {
            fake.close();
        }
    }
}
