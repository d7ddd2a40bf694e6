package org.espalier.node.shard;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.espalier.EspalierException;
import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.EngineProvider.Availability;
import org.espalier.engine.Loading;
import org.espalier.engine.Precision;
import org.espalier.engine.library.LibraryProvider;
import org.espalier.engine.library.Recording;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.hub.PullProgress;
import org.espalier.node.delivery.DeliveredMlx;
import org.espalier.program.Program;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engines of this machine, each started when it is first chosen. */
public final class Engines implements AutoCloseable {

    /** The best first. A new engine is a line here. */
    private static final List<EngineProvider> PROVIDERS =
            List.of(LibraryProvider.cpu(), new DeliveredMlx(), new ReferenceProvider());

    private static final long BETWEEN_LINES_NANOS = 5_000_000_000L;

    private final List<EngineProvider> providers;
    private final String preferred;
    private final UnaryOperator<Engine> onStart;
    private final Map<String, Engine> started = new LinkedHashMap<>();

    /** @param preferred what {@link #choose} takes if none is named; empty for the best */
    public Engines(String preferred) {
        this(PROVIDERS, preferred);
    }

    /** @param providers the best first */
    Engines(List<EngineProvider> providers, String preferred) {
        this(providers, preferred, UnaryOperator.identity());
    }

    private Engines(List<EngineProvider> providers, String preferred, UnaryOperator<Engine> onStart) {
        this.providers = List.copyOf(providers);
        this.preferred = preferred;
        this.onStart = onStart;
    }

    /** Looks for the best engine's library. Whoever asks for an engine meanwhile waits for it, so this may run beside other work. */
    public static void prepare() {
        PROVIDERS.get(0).availability();
    }

    /** Of which the one that is chosen is recorded. */
    public static Engines recorded(Recording recording) {
        return new Engines(PROVIDERS, "", recording::of);
    }

    /** Whether a failure of the engine that is chosen by default could end the process. */
    public static boolean mayAbort() {
        return PROVIDERS.stream()
                .filter(provider -> !provider.onlyByName() && provider.availability() instanceof Availability.Ready)
                .findFirst()
                .map(EngineProvider::mayAbort)
                .orElse(false);
    }

    /** All engines, the best first, whether they can be started or not. */
    public List<EngineProvider> providers() {
        return providers;
    }

    /** The names of all engines, the best first. */
    public static List<String> names() {
        return PROVIDERS.stream().map(EngineProvider::name).toList();
    }

    /** The message that there is no engine of that name. */
    public static String unknown(String name) {
        return unknown(name, PROVIDERS);
    }

    private static String unknown(String name, List<EngineProvider> providers) {
        String names = providers.stream().map(EngineProvider::name).collect(Collectors.joining(", "));
        return "there is no engine '" + name + "' here: choose one of " + names;
    }

    /**
     * The engine of that name, or the first that is ready and can run the program; those that are {@link EngineProvider#onlyByName} are never
     * chosen by default.
     *
     * @param name empty for the preferred one, or the best
     * @throws EspalierException saying for each engine why it was not chosen
     */
    public synchronized Engine choose(String name, Program program, EngineOptions options) {
        String wanted = name.isEmpty() ? preferred : name;
        if (!wanted.isEmpty()) {
            return start(named(wanted));
        }
        List<String> reasons = new ArrayList<>();
        for (EngineProvider provider : providers) {
            Optional<String> reason = reasonAgainst(provider, program, options);
            if (reason.isEmpty()) {
                if (!reasons.isEmpty() && !started.containsKey(provider.name())) {
                    log().warn(
                                    "the engine {} runs, which may be slower: {}",
                                    provider.name(),
                                    String.join("; ", reasons));
                }
                return start(provider);
            }
            reasons.add(provider.name() + " " + reason.get());
        }
        throw new EspalierException(
                "no engine of this machine can run the model by default: " + String.join("; ", reasons));
    }

    private static Optional<String> reasonAgainst(EngineProvider provider, Program program, EngineOptions options) {
        if (provider.onlyByName()) {
            return Optional.of("is chosen by name only");
        }
        Availability availability = provider.availability();
        if (availability instanceof Availability.Missing missing) {
            return Optional.of("is missing: " + missing.why());
        }
        if (availability instanceof Availability.Obtainable obtainable) {
            return Optional.of("is not fetched yet: " + obtainable.what());
        }
        Precision runs = precision(provider, options.precision());
        if (!provider.precisions().contains(runs)) {
            return Optional.of("has no precision " + runs.title());
        }
        return provider.refusal(program, options.with(runs)).map(why -> "cannot run it: " + why);
    }

    /** What is asked for, or float32 where an engine has no other. */
    static Precision precision(EngineProvider provider, Precision asked) {
        return provider.precisions().contains(asked) ? asked : Precision.FLOAT32;
    }

    private EngineProvider named(String name) {
        EngineProvider found = providers.stream()
                .filter(provider -> provider.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new EspalierException(unknown(name, providers)));
        if (found.availability() instanceof Availability.Missing missing) {
            throw new EspalierException("the engine " + name + " is missing here: " + missing.why());
        }
        if (found.availability() instanceof Availability.Obtainable obtainable) {
            fetch(found, obtainable);
        }
        return found;
    }

    /** One line now and then says how far it is. */
    private static void fetch(EngineProvider provider, Availability.Obtainable obtainable) {
        log().info("the engine {} is fetched: {}, {} bytes", provider.name(), obtainable.what(), obtainable.bytes());
        long start = System.nanoTime();
        AtomicLong next = new AtomicLong(start + BETWEEN_LINES_NANOS);
        Loading.Progress progress = (done, of) -> {
            long now = System.nanoTime();
            if (now >= next.get() || done == of) {
                next.set(now + BETWEEN_LINES_NANOS);
                log().info("{}", new PullProgress(done, of, done * 1e9 / Math.max(1, now - start)).text());
            }
        };
        provider.prepare(new Loading(progress, new Cancel()));
        log().info("the engine {} is here", provider.name());
    }

    /** Asked for where there is something to say, for making the first logger of a process takes longer than finding the best engine. */
    private static Logger log() {
        return LoggerFactory.getLogger(Engines.class);
    }

    private Engine start(EngineProvider provider) {
        return started.computeIfAbsent(provider.name(), name -> onStart.apply(provider.start()));
    }

    @Override
    public synchronized void close() {
        started.values().forEach(Engine::close);
        started.clear();
    }
}
