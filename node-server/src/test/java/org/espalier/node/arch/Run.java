package org.espalier.node.arch;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.Exchange;
import org.espalier.engine.Precision;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Routing;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.model.Model;
import org.espalier.node.sampling.Sampler;
import org.espalier.node.sampling.SamplingOptions;
import org.espalier.node.shard.Shard;

/** One greedy sequence through the shards of a model in this process, activations handed from one to the next. */
final class Run implements AutoCloseable {

    private static final long SESSION = 1;

    private final List<Shard> shards = new ArrayList<>();
    private int position;
    /** Of the last step, one for each shard with MoE layers. */
    final List<Routing> routing = new ArrayList<>();

    /** @param ends of each shard, exclusive; the last is the number of layers */
    Run(Model model, Engine engine, int... ends) {
        int first = 0;
        for (int end : ends) {
            shards.add(Shard.load(model, first, end, engine, Precision.FLOAT32));
            first = end;
        }
        shards.forEach(shard -> shard.program().open(SESSION, 256, RouterEdits.NONE));
    }

    /** Logits of the last row. */
    float[] step(int... tokens) {
        routing.clear();
        ByteBuffer activations = null;
        StepResult result = null;
        for (Shard shard : shards) {
            Step.Logits logits = shard.program().program().endsInLogits() ? Step.Logits.LAST : Step.Logits.NONE;
            Step.Entry entry = activations == null
                    ? Step.Entry.ofTokens(SESSION, position, tokens, logits)
                    : Step.Entry.ofRows(SESSION, position, tokens.length, logits);
            result = shard.program()
                    .run(new Step(List.of(entry), activations, true, false), Exchange.ALONE, new Cancel());
            activations = result.activations();
            if (result.routing().layers().length > 0) {
                routing.add(result.routing());
            }
        }
        position += tokens.length;
        return result.logits()[0];
    }

    /** The tokens that follow logits. */
    int[] greedy(float[] logits, int count) {
        int[] tokens = new int[count];
        float[] next = logits;
        for (int i = 0; i < count; i++) {
            tokens[i] = Sampler.sample(SamplingOptions.GREEDY, position, next, tokens, i)
                    .token();
            next = i + 1 < count ? step(tokens[i]) : next;
        }
        return tokens;
    }

    @Override
    public void close() {
        shards.forEach(Shard::close);
    }
}
