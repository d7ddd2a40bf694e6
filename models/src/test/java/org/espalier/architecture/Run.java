package org.espalier.architecture;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Routing;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.model.Model;
import org.espalier.program.Program;
import org.espalier.slice.LayerRange;

/** One greedy sequence through the shards of a model in this process, activations handed from one to the next. */
final class Run implements AutoCloseable {

    private static final long SESSION = 1;

    private final List<LoadedProgram> shards = new ArrayList<>();
    private int position;
    /** Of the last step, one for each shard with MoE layers. */
    final List<Routing> routing = new ArrayList<>();

    /** @param ends of each shard, exclusive; the last is the number of layers */
    Run(Model model, Engine engine, int... ends) {
        int first = 0;
        for (int end : ends) {
            shards.add(load(model, first, end, engine));
            first = end;
        }
        shards.forEach(shard -> shard.open(SESSION, 256, RouterEdits.NONE));
    }

    /** Logits of the last row. */
    float[] step(int... tokens) {
        routing.clear();
        ByteBuffer activations = null;
        StepResult result = null;
        for (LoadedProgram shard : shards) {
            Step.Logits logits = shard.program().endsInLogits() ? Step.Logits.LAST : Step.Logits.NONE;
            Step.Entry entry = activations == null
                    ? Step.Entry.ofTokens(SESSION, position, tokens, logits)
                    : Step.Entry.ofRows(SESSION, position, tokens.length, logits);
            result = shard.run(
                    new Step(List.of(entry), activations, Set.of(Step.Want.ROUTING)), Exchange.ALONE, new Cancel());
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
            tokens[i] = greatest(next);
            next = i + 1 < count ? step(tokens[i]) : next;
        }
        return tokens;
    }

    private static int greatest(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    /** Layers {@code first} to {@code end} exclusive, ready to run. */
    static LoadedProgram load(Model model, int first, int end, Engine engine) {
        LayerRange layers = new LayerRange(first, end, model.architecture().layers());
        Program program = model.architecture().program(model.checkpoint(), layers);
        return LoadedProgram.load(engine, program, EngineOptions.FLOAT32, Loading.quietly());
    }

    @Override
    public void close() {
        shards.forEach(LoadedProgram::close);
    }
}
