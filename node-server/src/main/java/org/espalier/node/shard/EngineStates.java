package org.espalier.node.shard;

import java.util.List;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.EngineProvider.Availability;
import org.espalier.engine.Precision;
import org.espalier.v1.EngineState;

/** The engines that a node knows of, as messages of the wire. */
public final class EngineStates {

    private EngineStates() {}

    public static List<EngineState> of(List<EngineProvider> providers) {
        return providers.stream().map(EngineStates::of).toList();
    }

    static EngineState of(EngineProvider provider) {
        EngineState.Builder state = EngineState.newBuilder().setName(provider.name());
        provider.precisions().stream().sorted().map(Precision::title).forEach(state::addPrecisions);
        Availability availability = provider.availability();
        if (availability instanceof Availability.Ready ready) {
            state.setAvailability(EngineState.Availability.READY).setDetail(ready.device());
        } else if (availability instanceof Availability.Obtainable obtainable) {
            state.setAvailability(EngineState.Availability.OBTAINABLE)
                    .setDetail(obtainable.what())
                    .setObtainableBytes(obtainable.bytes());
        } else if (availability instanceof Availability.Missing missing) {
            state.setAvailability(EngineState.Availability.MISSING).setDetail(missing.why());
        }
        provider.crossing()
                .ifPresent(crossing -> state.setCrossingNanos(crossing.nanos()).setCrossingSource(crossing.source()));
        return state.build();
    }
}
