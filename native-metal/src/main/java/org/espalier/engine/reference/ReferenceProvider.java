package org.espalier.engine.reference;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.Precision;
import org.espalier.program.Program;

/** The reference engine is always ready. */
public final class ReferenceProvider implements EngineProvider {

    private static final int MOST_COLUMNS = Integer.MAX_VALUE / Float.BYTES;

    @Override
    public String name() {
        return "reference";
    }

    @Override
    public Availability availability() {
        return new Availability.Ready("plain Java on the processor");
    }

    @Override
    public Set<Precision> precisions() {
        return Set.of(Precision.FLOAT32);
    }

    @Override
    public Optional<String> refusal(Program program, EngineOptions options) {
        return refuses(program, options);
    }

    /** It has every op and every format. */
    static Optional<String> refuses(Program program, EngineOptions options) {
        Optional<Integer> wide =
                program.slots().stream().filter(width -> width > MOST_COLUMNS).findFirst();
        if (wide.isPresent()) {
            return Optional.of("a slot of " + wide.get() + " columns does not fit a Java array, which has at most "
                    + MOST_COLUMNS + " floats");
        }
        if (options.preparations().contains(EngineOptions.Preparation.LOCK_MEMORY)) {
            return Optional.of("Java cannot lock memory: load without it");
        }
        return options.kvType() == EngineOptions.KvType.F32
                ? Optional.empty()
                : Optional.of("it keeps KV caches as f32 only, not as "
                        + options.kvType().name().toLowerCase(Locale.ROOT));
    }

    @Override
    public Engine start() {
        return new ReferenceEngine(this, Numbers.FLOAT32);
    }
}
