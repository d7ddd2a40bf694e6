package org.espalier.node.delivery;

import com.sun.jna.NativeLibrary;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.espalier.engine.Crossing;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.ForwardingProvider;
import org.espalier.engine.Loading;
import org.espalier.engine.library.MlxProvider;

/**
 * The mlx engine, which is fetched when it is first used. Its library is loaded only after it passed its self-test, or from the folder that the system property
 * {@code espalier.mlx} or the variable {@code ESPALIER_MLX} names, for which whoever set it answers.
 */
public final class DeliveredMlx implements ForwardingProvider {

    private static final String PROPERTY = "espalier.mlx";
    private static final String VARIABLE = "ESPALIER_MLX";
    /** A network may be back; a library that failed fails again, which takes its time. */
    private static final Duration BETWEEN_TRIES = Duration.ofMinutes(1);

    private final EngineProvider engine;
    /** Asked once, when the engine is first asked for: most commands run without it, and looking for its wheel takes part of their start. */
    private final Supplier<Optional<MlxDelivery>> find;

    private final Duration between;
    /** What {@link #find} found; null before that. Two who ask at once may both look. */
    private volatile Optional<MlxDelivery> delivery;
    /** Why it could not be had, the last time; null where it was not tried. */
    private String refused;

    private long refusedAt;

    public DeliveredMlx() {
        this(MlxProvider.mlx(), MlxDelivery::ofThisMachine, BETWEEN_TRIES);
    }

    /** @param between a try that failed and the next: until then it is missing */
    DeliveredMlx(EngineProvider engine, Supplier<Optional<MlxDelivery>> find, Duration between) {
        this.engine = engine;
        this.find = find;
        this.between = between;
    }

    @Override
    public EngineProvider provider() {
        return engine;
    }

    @Override
    public synchronized Availability availability() {
        if (isNamed()) {
            return described(engine.availability());
        }
        if (isRefused()) {
            return new Availability.Missing(whyRefused());
        }
        if (delivery().isEmpty()) {
            return new Availability.Missing("MLX has no build for " + Passed.thisSystem());
        }
        MlxDelivery found = delivery().get();
        if (found.passed().isEmpty()) {
            return new Availability.Obtainable(found.what(), found.bytes());
        }
        use(found.home());
        return described(engine.availability());
    }

    private Optional<MlxDelivery> delivery() {
        Optional<MlxDelivery> found = delivery;
        if (found == null) {
            found = find.get();
            delivery = found;
        }
        return found;
    }

    private boolean isRefused() {
        return refused != null && System.nanoTime() - refusedAt < between.toNanos();
    }

    private String whyRefused() {
        return refused + ". " + between.toSeconds() + " s after this it is tried again, when it is asked for";
    }

    /** What has run on hardware is said wherever the engine is listed. */
    private static Availability described(Availability availability) {
        if (!(availability instanceof Availability.Ready ready)) {
            return availability;
        }
        return new Availability.Ready(ready.device()
                + (ready.device().endsWith("on the processor")
                        ? ", slow, for tests"
                        : "; its authors had no such device: espalier-node doctor tells how it does"));
    }

    /** As it was measured with the MLX that was delivered, or as others measured it where this is a Mac. */
    @Override
    public Optional<Crossing> crossing() {
        return delivery()
                .filter(DeliveredMlx::isUsed)
                .flatMap(own -> MeasuredCrossing.read(own.home()))
                .map(MeasuredCrossing::toCrossing)
                .or(() -> MeasuredCrossing.assumed(System.getProperty("os.name")));
    }

    /** Whether no other folder is named. */
    private static boolean isUsed(MlxDelivery delivery) {
        return !isNamed()
                || System.getProperty(PROPERTY, "")
                        .equals(delivery.home().folder().toString());
    }

    private static boolean isNamed() {
        return !System.getProperty(PROPERTY, "").isBlank()
                || !System.getenv().getOrDefault(VARIABLE, "").isBlank();
    }

    /** MLX reads its variables once, as it is loaded. */
    private static void use(MlxHome home) {
        BufferLimits.read(home)
                .ifPresent(limits -> limits.variables()
                        .forEach((name, value) -> NativeLibrary.getProcess()
                                .getFunction("setenv")
                                .invokeInt(new Object[] {name, value, 0}))); // what the user has set stays
        System.setProperty(PROPERTY, home.folder().toString());
    }

    /** Brings it here; see {@link MlxDelivery}. */
    @Override
    public synchronized void prepare(Loading loading) {
        loading.cancel().check();
        if (!isNamed() && delivery().isPresent()) {
            if (isRefused()) { // somebody who asked at the same time was faster
                throw new EngineException(whyRefused());
            }
            try {
                delivery().get().deliver(progress -> loading.progress().loaded(progress.done(), progress.total()));
            } catch (EngineException e) {
                refusedAt = System.nanoTime();
                refused = Thread.currentThread().isInterrupted() ? null : e.getMessage();
                throw e;
            }
        }
    }

    @Override
    public Engine start() {
        if (availability() instanceof Availability.Missing missing) {
            throw new EngineException("the engine " + name() + " is missing here: " + missing.why());
        }
        return engine.start();
    }
}
