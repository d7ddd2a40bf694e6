package org.espalier.architecture;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.model.Model;

/** The residual stream in the middle of a model. */
public final class LayerOutput {

    private LayerOutput() {}

    /** [2, D] of two fixed rows after the layers {@code first} to {@code end} exclusive, neither of which is the model's first or last. */
    public static ByteBuffer between(Path path, int first, int end) {
        try (ReferenceEngine engine = new ReferenceEngine();
                Model model = Model.open(path);
                LoadedProgram shard = Run.load(model, first, end, engine)) {
            shard.open(1, 2, RouterEdits.NONE);
            int hidden = model.architecture().hidden();
            ByteBuffer rows = ByteBuffer.allocate(2 * hidden * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            IntStream.range(0, 2 * hidden).forEach(i -> rows.putFloat((float) Math.sin(i)));
            Step.Entry entry = Step.Entry.ofRows(1, 0, 2, Step.Logits.NONE);
            return shard.run(new Step(List.of(entry), rows.flip(), Set.of()), Exchange.ALONE, new Cancel())
                    .activations();
        }
    }

    /** [D] of the last token after the first {@code end} layers. */
    static float[] last(Model model, Engine engine, int end, int[] tokens) {
        try (LoadedProgram shard = Run.load(model, 0, end, engine)) {
            shard.open(1, tokens.length, RouterEdits.NONE);
            Step.Entry entry = Step.Entry.ofTokens(1, 0, tokens, Step.Logits.NONE);
            StepResult result = shard.run(Step.of(entry), Exchange.ALONE, new Cancel());
            float[] row = new float[model.architecture().hidden()];
            int from = (tokens.length - 1) * row.length * Float.BYTES;
            for (int i = 0; i < row.length; i++) {
                row[i] = result.activations().getFloat(from + i * Float.BYTES);
            }
            return row;
        }
    }
}
