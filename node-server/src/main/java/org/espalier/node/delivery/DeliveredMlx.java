package org.espalier.node.delivery;

import com.sun.jna.NativeLibrary;
import java.util.Optional;
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

    private final EngineProvider engine;
    private final Optional<MlxDelivery> delivery;
    /** Why it could not be had, until this process ends. */
    private String refused;

    public DeliveredMlx() {
        this(MlxProvider.mlx(), MlxDelivery.ofThisMachine());
    }

    DeliveredMlx(EngineProvider engine, Optional<MlxDelivery> delivery) {
        this.engine = engine;
        this.delivery = delivery;
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
        if (refused != null) {
            return new Availability.Missing(refused);
        }
        if (delivery.isEmpty()) {
            return new Availability.Missing("MLX has no build for " + Passed.thisSystem());
        }
        if (delivery.get().passed().isEmpty()) {
            return new Availability.Obtainable(
                    delivery.get().what(), delivery.get().bytes());
        }
        use(delivery.get().home());
        return described(engine.availability());
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
        if (delivery.isPresent() && !isNamed()) {
            try {
                delivery.get().deliver(progress -> loading.progress().loaded(progress.done(), progress.total()));
            } catch (EngineException e) {
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
