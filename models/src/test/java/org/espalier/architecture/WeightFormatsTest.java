package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.Tensor;
import org.espalier.engine.Cancel;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.program.Embed;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** From a checkpoint's bytes to an engine's values, against what mlx and torch read from the same bytes. */
class WeightFormatsTest {

    private static final Path FORMATS = Path.of("src", "test", "resources", "formats");

    @ParameterizedTest
    @ValueSource(strings = {"mlx", "fp8"})
    void valuesEqualThoseThatOthersRead(String folder) {
        Checkpoint stored = Checkpoint.open(FORMATS.resolve(folder), Architectures.gguf());
        Checkpoint values = Checkpoint.open(FORMATS.resolve(folder + "_values"), Architectures.gguf());
        assertThat(stored.names()).containsExactlyInAnyOrderElementsOf(values.names());
        assertThat(stored.names()).isNotEmpty();
        for (String name : stored.names()) {
            same(name, decoded(stored.tensor(name)), decoded(values.tensor(name)));
        }
    }

    /** Rows that begin inside a block of fp8 values. */
    @Test
    void aSliceOfRowsKeepsItsFactors() {
        Tensor stored =
                Checkpoint.open(FORMATS.resolve("fp8"), Architectures.gguf()).tensor("cut.weight");
        Tensor values = Checkpoint.open(FORMATS.resolve("fp8_values"), Architectures.gguf())
                .tensor("cut.weight");
        for (int from = 0; from < stored.rows(); from++) {
            int rows = Math.min(5, stored.rows() - from);
            same("rows from " + from, decoded(stored.rows(from, rows)), decoded(values.rows(from, rows)));
        }
    }

    private static void same(String what, float[] actual, float[] expected) {
        assertThat(actual).as(what).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i])
                    .as(what + " value " + i)
                    .isCloseTo(expected[i], within(1e-6f * Math.max(1e-3f, Math.abs(expected[i]))));
        }
    }

    /** The rows embedded as tokens, one after the other. */
    private static float[] decoded(Tensor tensor) {
        ProgramBuilder builder = new ProgramBuilder("main", tensor.columns());
        View out = builder.slot(tensor.columns());
        builder.weight(
                "w",
                Weight.matrix(
                        tensor.rows(),
                        tensor.columns(),
                        WeightFormats.of(tensor.format()),
                        WeightFormats.piece(tensor)));
        builder.op(new Embed("w", out));
        try (ReferenceEngine engine = new ReferenceEngine();
                LoadedProgram program =
                        LoadedProgram.load(engine, builder.build(out, out), EngineOptions.FLOAT32, Loading.quietly())) {
            program.open(1, tensor.rows(), RouterEdits.NONE);
            int[] tokens = IntStream.range(0, tensor.rows()).toArray();
            Step step = new Step(List.of(Step.Entry.ofTokens(1, 0, tokens, Step.Logits.NONE)), null, Set.of());
            StepResult result = program.run(step, Exchange.ALONE, new Cancel());
            FloatBuffer floats =
                    result.activations().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
            float[] values = new float[tensor.rows() * tensor.columns()];
            floats.get(values);
            return values;
        }
    }
}
