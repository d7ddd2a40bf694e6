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
        return refusal(options);
    }

    /** It has every op and every format. */
    static Optional<String> refusal(EngineOptions options) {
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
