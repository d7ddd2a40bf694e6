package org.espalier.node.service;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.espalier.EspalierException;
import org.espalier.RegularFile;
import org.espalier.Remedy;
import org.espalier.config.RoutedExperts;
import org.espalier.engine.Cancel;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.node.ring.StageShard;
import org.espalier.node.ring.StepRows;
import org.espalier.node.ring.TokenText;
import org.espalier.node.shard.EngineStates;
import org.espalier.node.shard.Engines;
import org.espalier.node.shard.Shard;
import org.espalier.node.shard.WeightFiles;
import org.espalier.plan.ShardPlans;
import org.espalier.plan.ShardSize;
import org.espalier.tokenizer.SpecialTokens;
import org.espalier.tokenizer.StreamingDetokenizer;
import org.espalier.tokenizer.Tokenizer;
import org.espalier.v1.EngineState;

/** Loads shards of models from files on this machine, within the node's model roots. */
final class ModelShards implements ShardLoader {

    private final ModelCatalogue catalogue;
    private final LongSupplier freeBytes;
    private final Engines engines;
    private final EngineOptions loads;
    /** Bytes that shards being loaded will take. */
    private final AtomicLong promised = new AtomicLong();

    private final KvBudget kv;
    private final int answerSeconds;

    /** @param roots folders that models may be in; empty for anywhere */
    ModelShards(List<Path> roots) {
        this(roots, Machine::freeBytes);
    }

    ModelShards(List<Path> roots, LongSupplier freeBytes) {
        this(roots, new Engines(""), EngineOptions.FLOAT32, freeBytes);
    }

    ModelShards(List<Path> roots, Engines engines, EngineOptions loads, LongSupplier freeBytes) {
        this(roots, engines, loads, freeBytes, Limits.usual());
    }

    /**
     * @param engines closed with this object
     * @param loads how programs are loaded; each load says the precision itself, and all have the memory for KV caches together
     * @param limits that say how long a tokenizer is waited for
     */
    ModelShards(List<Path> roots, Engines engines, EngineOptions loads, LongSupplier freeBytes, Limits limits) {
        this.answerSeconds = limits.of(Limit.LOAD_SECONDS);
        this.engines = engines;
        this.loads = loads;
        this.freeBytes = freeBytes;
        this.kv = new KvBudget(loads.kvBytes());
        this.catalogue = roots.isEmpty() ? ModelCatalogue.ofThisMachine() : ModelCatalogue.restrictedTo(roots);
    }

    @Override
    public List<EngineState> engines() {
        return EngineStates.of(engines.providers());
    }

    @Override
    public SortedMap<String, Long> models() {
        return catalogue.sizes();
    }

    @Override
    public StageShard load(Order order, Progress progress, Cancel cancel) {
        Awaits awaits = new Awaits(order, progress);
        return RegularFile.watched(awaits::opens, () -> load(order, awaits, cancel));
    }

    private StageShard load(Order order, Awaits awaits, Cancel cancel) {
        EngineOptions options = loads.with(Shard.precision(order.precision()));
        Model model = catalogue.open(order.model());
        Room room;
        try {
            cancel.check();
            room = check(model, order);
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
        try {
            return load(model, order, room, options, new Loading(awaits, cancel));
        } finally {
            promised.addAndGet(-room.need().bytes());
        }
    }

    private Loaded load(Model model, Order order, Room room, EngineOptions options, Loading loading) {
        long caches;
        try {
            caches = kv.promise(order.node(), room.need().cacheBytes());
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
        boolean loaded = false;
        try {
            Shard.Request request =
                    new Shard.Request(order.engine(), options.withKv(options.kvType(), caches), loading);
            // A loaded shard is freed by its owner, cancelled or not, and never on this thread.
            Shard shard = Shard.load(model, order.member(), engines, request);
            loaded = true;
            return new Loaded(
                    shard,
                    WeightFiles.of(shard.program().program()),
                    StepRows.within(shard.program().program().plan(), room.left()),
                    () -> kv.giveBack(caches),
                    order.node(),
                    answerSeconds);
        } finally {
            if (!loaded) {
                kv.giveBack(caches);
            }
        }
    }

    /** Says what a load waits for. */
    private record Awaits(Order order, Progress progress) implements Loading.Progress {

        /** A file of the model is opened. */
        void opens(Path file) {
            progress.awaits(
                    new Awaited(Source.FILES, "the files of " + order.model().name() + ", now " + file));
        }

        @Override
        public void waits() {
            progress.awaits(new Awaited(Source.ENGINE, "the engine, which is busy with another deployment"));
        }

        @Override
        public void loads() {
            progress.awaits(
                    new Awaited(Source.FILES, "the weights of " + order.model().name()));
        }

        @Override
        public void loaded(long done, long of) {
            progress.report(done, of);
        }
    }

    /**
     * Memory that is promised to a shard.
     *
     * @param left bytes that are free beside it
     */
    private record Room(ShardSize need, long left) {}

    private Room check(Model model, Order order) {
        int layers = model.architecture().layers();
        if (layers != order.layers().all()) {
            throw new Failure(
                            order.node(),
                            Failure.Kind.LOAD_FAILED,
                            "node " + order.node() + " finds " + layers + " layers in " + model.path()
                                    + ", but the placement is for "
                                    + order.layers().all()
                                    + ": the nodes have different files of that name")
                    .exception();
        }
        ShardSize size = new ShardPlans(model).size(order.member());
        long need = size.bytes();
        long others = promised.getAndAdd(need);
        long free = freeBytes.getAsLong();
        if (need <= free - others) {
            return new Room(size, free - others - need);
        }
        promised.addAndGet(-need);
        String message = String.format(
                Locale.ROOT,
                "node %s has %.1f GB free%s, the shard needs %.1f GB",
                order.node(),
                free / 1e9,
                others > 0
                        ? String.format(Locale.ROOT, ", of which a shard being loaded takes %.1f GB", others / 1e9)
                        : "",
                need / 1e9);
        throw new Failure(order.node(), Failure.Kind.OUT_OF_MEMORY, message)
                .with(Remedy.SPLIT_OVER_MORE_NODES)
                .exception();
    }

    @Override
    public boolean isCurrent(StageShard shard) {
        return shard instanceof Loaded loaded && loaded.files.unchanged();
    }

    @Override
    public void close() {
        engines.close();
    }

    /**
     * A shard as its stage runs it.
     *
     * @param files as they were when it was loaded
     * @param stepRows for which there was room then
     * @param freed called when nothing is left of it
     * @param answerSeconds that the tokenizer's files have to answer
     */
    private record Loaded(Shard shard, WeightFiles files, int stepRows, Runnable freed, String node, int answerSeconds)
            implements StageShard {

        @Override
        public LoadedProgram program() {
            return shard.program();
        }

        @Override
        public String engine() {
            return shard.engine();
        }

        @Override
        public String precision() {
            return shard.precision().title();
        }

        @Override
        public int context() {
            return shard.model().architecture().context();
        }

        @Override
        public int vocabulary() {
            return shard.model().architecture().vocabulary();
        }

        @Override
        public Optional<RoutedExperts> moe() {
            return shard.model().architecture().moe();
        }

        @Override
        public CompletableFuture<Void> openText() {
            return shard.model()
                    .openTokenizer()
                    .thenAccept(opened -> {})
                    .orTimeout(answerSeconds, TimeUnit.SECONDS)
                    .exceptionally(why -> {
                        throw why instanceof TimeoutException ? unanswered() : new CompletionException(why);
                    });
        }

        private FailureException unanswered() {
            return new Failure(
                            node,
                            Failure.Kind.TIMED_OUT,
                            "node " + node + " has waited " + answerSeconds + " s for the tokenizer of "
                                    + shard.model().name()
                                    + ": the share or disk that its files lie on does not answer; leave out stop texts")
                    .exception();
        }

        @Override
        public TokenText text() {
            Tokenizer tokenizer = shard.model()
                    .tokenizer()
                    .orElseThrow(
                            () -> new EspalierException("model " + shard.model().name()
                                    + " has no tokenizer, so it cannot look for stop texts: leave them out"));
            StreamingDetokenizer detokenizer = new StreamingDetokenizer(tokenizer, SpecialTokens.SKIP);
            return detokenizer::push;
        }

        @Override
        public void close() {
            shard.close();
            freed.run();
        }
    }
}
