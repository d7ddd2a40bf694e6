package org.espalier.architecture;

import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.model.Model;

/** The residual stream in the middle of a model. */
final class LayerOutput {

    private LayerOutput() {}

    /** [D] of the last token after the first {@code end} layers. */
    static float[] last(Model model, Engine engine, int end, int[] tokens) {
        try (LoadedProgram shard = Run.load(model, 0, end, engine)) {
            shard.open(1, tokens.length, RouterEdits.NONE);
            Step.Entry entry = Step.Entry.ofTokens(1, 0, tokens, Step.Logits.NONE);
            StepResult result = shard.run(Step.of(entry), Exchange.ALONE, new Cancel());
            float[] row = new float[model.config().hidden()];
            int from = (tokens.length - 1) * row.length * Float.BYTES;
            for (int i = 0; i < row.length; i++) {
                row[i] = result.activations().getFloat(from + i * Float.BYTES);
            }
            return row;
        }
    }
}
