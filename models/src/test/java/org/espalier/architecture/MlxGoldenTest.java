package org.espalier.architecture;

import static org.junit.jupiter.api.Assumptions.abort;

import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider.Availability;
import org.espalier.engine.library.MlxProvider;
import org.espalier.model.Model;
import org.espalier.slice.LayerRange;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The mlx engine in float32, on the processor, against the results of transformers and mlx-lm: in one shard, in two, and sliced over nodes. */
class MlxGoldenTest {

    private static Engine engine;

    @BeforeAll
    static void start() {
        if (System.getProperty("espalier.mlx") == null) {
            System.setProperty("espalier.mlx", "../native-metal/target/mlx");
        }
        if (MlxProvider.mlx().availability() instanceof Availability.Missing missing) {
            abort("the engine mlx is missing here: " + missing.why());
        }
        engine = MlxProvider.mlx().start();
    }

    @AfterAll
    static void close() {
        if (engine != null) {
            engine.close();
        }
    }

    private static Model open(GoldenModel golden) {
        Model model = golden.open();
        LayerRange all = LayerRange.whole(model.architecture().layers());
        MlxProvider.mlx()
                .refusal(model.architecture().program(model.checkpoint(), all), EngineOptions.FLOAT32)
                .ifPresent(why -> abort(golden + ": " + why));
        return model;
    }

    private static void check(GoldenModel golden) {
        Model model = open(golden);
        ArchitectureGoldenTest.check(engine, golden, model, model.architecture().layers());
    }

    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#tiny")
    void computesWhatOthersCompute(GoldenModel golden) {
        check(golden);
    }

    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#shared")
    void computesWhatOthersComputeBesideTheRepository(GoldenModel golden) {
        check(golden);
    }

    @ParameterizedTest
    @MethodSource("org.espalier.architecture.GoldenModel#tiny")
    void slicesComputeWhatTheWholeComputes(GoldenModel golden) {
        Model model = open(golden);
        SlicedGoldenTest.compare(
                MlxProvider.mlx()::start,
                model.architecture(),
                model.checkpoint(),
                golden.prompts().get(0).ids("prompt_ids"));
    }
}
