package org.espalier.node.arch;

import java.util.List;
import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.Exchange;
import org.espalier.engine.Precision;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.model.Model;
import org.espalier.node.shard.Shard;

/** The residual stream in the middle of a model. */
final class LayerOutput {

    private LayerOutput() {}

    /** [D] of the last token after the first {@code end} layers. */
    static float[] last(Model model, Engine engine, int end, int[] tokens) {
        try (Shard shard = Shard.load(model, 0, end, engine, Precision.FLOAT32)) {
            shard.program().open(1, tokens.length, RouterEdits.NONE);
            Step.Entry entry = Step.Entry.ofTokens(1, 0, tokens, Step.Logits.NONE);
            StepResult result =
                    shard.program().run(new Step(List.of(entry), null, false, false), Exchange.ALONE, new Cancel());
            float[] row = new float[shard.model().config().hidden()];
            int from = (tokens.length - 1) * row.length * Float.BYTES;
            for (int i = 0; i < row.length; i++) {
                row[i] = result.activations().getFloat(from + i * Float.BYTES);
            }
            return row;
        }
    }
}
