package org.espalier.node.bench;

import java.util.List;
import org.espalier.EspalierException;
import org.espalier.architecture.Architecture;
import org.espalier.model.Model;
import org.espalier.program.Op;
import org.espalier.program.Program;
import org.espalier.program.RepeatedOps;
import org.espalier.slice.LayerRange;

/** What is measured: a model's program, or the same with more layers than its files have. */
public final class BenchProgram {

    private BenchProgram() {}

    /**
     * @param layers how many the program has, of which the last of the model is repeated with the same weights; 0 for the model's own
     * @throws EspalierException if the model has more
     */
    public static Program of(Model model, int layers) {
        Architecture architecture = model.architecture();
        int all = architecture.layers();
        Program whole = architecture.program(model.checkpoint(), LayerRange.whole(all));
        if (layers == 0 || layers == all) {
            return whole;
        }
        if (layers < all) {
            throw new EspalierException("--repeat-layers is " + layers + ", but " + model.name() + " has " + all
                    + " layers: choose more, the last one is repeated");
        }
        if (all == 1) {
            throw new EspalierException(
                    "--repeat-layers needs a model of 2 layers or more, of which the last is repeated");
        }
        Program before = architecture.program(model.checkpoint(), new LayerRange(0, all - 1, all));
        int from = before.ops().size();
        int to = endOfLayers(whole);
        int firstCache = before.caches().size();
        return new RepeatedOps(whole, from, to, firstCache).more(layers - all);
    }

    /** After the last op that writes the residual stream come the final norm and the logits. */
    private static int endOfLayers(Program program) {
        List<Op> ops = program.ops();
        int end = ops.size();
        while (ops.get(end - 1).writes().stream().noneMatch(view -> view.overlaps(program.output()))) {
            end--;
        }
        return end;
    }
}
