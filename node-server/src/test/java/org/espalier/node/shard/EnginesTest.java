package org.espalier.node.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.espalier.EspalierException;
import org.espalier.engine.Crossing;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.Loading;
import org.espalier.engine.Precision;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.espalier.v1.EngineState;
import org.junit.jupiter.api.Test;

/** The order of the list decides, and whoever cannot run a program says why. */
class EnginesTest {

    private static final Program PROGRAM = program();

    private static final List<String> FETCHED = new ArrayList<>();

    private static Program program() {
        ProgramBuilder builder = new ProgramBuilder("main", 4);
        View x = builder.slot(4);
        return builder.build(x, x);
    }

    /** @param refusal empty where it runs everything */
    private record Known(String name, Availability availability, String refusal, boolean onlyByName)
            implements EngineProvider {

        @Override
        public void prepare(Loading loading) {
            loading.progress().loaded(1, 1);
            FETCHED.add(name);
        }

        @Override
        public Set<Precision> precisions() {
            return Set.of(Precision.values());
        }

        @Override
        public Optional<String> refusal(Program program, EngineOptions options) {
            return refusal.isEmpty() ? Optional.empty() : Optional.of(refusal);
        }

        @Override
        public Optional<Crossing> crossing() {
            return Optional.of(new Crossing(12_000, "measured"));
        }

        @Override
        public Engine start() {
            return new ReferenceEngine();
        }
    }

    private static Known ready(String name) {
        return new Known(name, new EngineProvider.Availability.Ready("a device"), "", false);
    }

    private static final Known MISSING =
            new Known("mlx", new EngineProvider.Availability.Missing("no library for this machine"), "", false);
    private static final Known OBTAINABLE =
            new Known("metal", new EngineProvider.Availability.Obtainable("MLX 0.32.4", 54_000_000), "", false);
    private static final Known REFUSING =
            new Known("cpu", new EngineProvider.Availability.Ready("a processor"), "no op Route", false);
    private static final Known BY_NAME =
            new Known("slow", new EngineProvider.Availability.Ready("a processor"), "", true);

    private static Engine choose(Engines engines, String name) {
        return engines.choose(name, PROGRAM, EngineOptions.FLOAT32);
    }

    @Test
    void theDefaultIsTheFirstThatIsReadyAndCanRunTheProgram() {
        try (Engines engines =
                new Engines(List.of(MISSING, OBTAINABLE, REFUSING, BY_NAME, ready("first"), ready("second")), "")) {
            Engine first = choose(engines, "");
            assertThat(choose(engines, "first")).isSameAs(first);
            assertThat(choose(engines, "second")).isNotSameAs(first);
            assertThat(choose(engines, "slow")).isNotSameAs(first);
        }
    }

    @Test
    void thePreferredOneOfANodeStandsForNone() {
        try (Engines engines = new Engines(List.of(ready("first"), ready("second")), "second")) {
            assertThat(choose(engines, "")).isSameAs(choose(engines, "second"));
        }
    }

    @Test
    void whereNoneCanEachSaysWhy() {
        try (Engines engines = new Engines(List.of(MISSING, OBTAINABLE, REFUSING, BY_NAME), "")) {
            assertThatThrownBy(() -> choose(engines, ""))
                    .isInstanceOf(EspalierException.class)
                    .hasMessage("no engine of this machine can run the model by default:"
                            + " mlx is missing: no library for this machine; metal is not fetched yet: MLX 0.32.4;"
                            + " cpu cannot run it: no op Route; slow is chosen by name only");
        }
    }

    @Test
    void aNamedOneThatIsNotReadySaysWhy() {
        try (Engines engines = new Engines(List.of(MISSING, OBTAINABLE), "")) {
            assertThatThrownBy(() -> choose(engines, "mlx"))
                    .hasMessage("the engine mlx is missing here: no library for this machine");
            assertThatThrownBy(() -> choose(engines, "warp"))
                    .hasMessage("there is no engine 'warp' here: choose one of mlx, metal");
        }
    }

    @Test
    void aNamedOneIsFetchedAtItsFirstUse() {
        FETCHED.clear();
        try (Engines engines = new Engines(List.of(ready("first"), OBTAINABLE), "")) {
            choose(engines, "");
            assertThat(FETCHED).isEmpty();
            choose(engines, "metal");
            assertThat(FETCHED).containsExactly("metal");
        }
    }

    @Test
    void allAreDescribedWithoutStartingAny() {
        Map<String, EngineState> states = new HashMap<>();
        EngineStates.of(List.of(MISSING, OBTAINABLE, ready("first")))
                .forEach(state -> states.put(state.getName(), state));
        assertThat(states.get("mlx").getAvailability()).isEqualTo(EngineState.Availability.MISSING);
        assertThat(states.get("mlx").getDetail()).isEqualTo("no library for this machine");
        assertThat(states.get("metal").getAvailability()).isEqualTo(EngineState.Availability.OBTAINABLE);
        assertThat(states.get("metal").getObtainableBytes()).isEqualTo(54_000_000);
        assertThat(states.get("first").getAvailability()).isEqualTo(EngineState.Availability.READY);
        assertThat(states.get("first").getPrecisionsList()).containsExactly("float32", "fast");
        assertThat(states.get("first").getCrossingNanos()).isEqualTo(12_000);
        assertThat(states.get("first").getCrossingSource()).isEqualTo("measured");
    }
}
