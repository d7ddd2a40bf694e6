package org.espalier.program;

import java.util.ArrayList;
import java.util.List;

/**
 * A program some of whose ops run again and again, with the same weights and caches of their own: what a model with more layers of the same
 * shape costs, on files of few. What it computes means nothing.
 */
public final class RepeatedOps {

    private final Program program;
    private final int from;
    private final int to;
    private final int firstCache;

    /**
     * @param from the first op of a layer
     * @param to the op after its last
     * @param firstCache the layer's first cache; all that follow are its own
     */
    public RepeatedOps(Program program, int from, int to, int firstCache) {
        this.program = program;
        this.from = from;
        this.to = to;
        this.firstCache = firstCache;
    }

    /** The program with the layer and {@code more} like it after it. */
    public Program more(int more) {
        List<Op> ops = new ArrayList<>(program.ops().subList(0, to));
        List<Cache> caches = new ArrayList<>(program.caches());
        List<Cache> own = program.caches().subList(firstCache, program.caches().size());
        for (int copy = 1; copy <= more; copy++) {
            Shifted shifted = new Shifted(copy, copy * own.size());
            program.ops().subList(from, to).forEach(op -> ops.add(op.accept(shifted)));
            caches.addAll(own);
        }
        ops.addAll(program.ops().subList(to, program.ops().size()));
        return new Program(
                program.name(),
                program.hidden(),
                program.slots(),
                program.input(),
                program.output(),
                program.logits(),
                ops,
                program.weights(),
                caches);
    }

    /** The same op so many layers and caches later. */
    private record Shifted(int layers, int caches) implements Op.Visitor<Op> {

        @Override
        public Op embed(Embed op) {
            return op;
        }

        @Override
        public Op rmsNorm(RmsNorm op) {
            return op;
        }

        @Override
        public Op layerNorm(LayerNorm op) {
            return op;
        }

        @Override
        public Op linear(Linear op) {
            return op;
        }

        @Override
        public Op rotate(Rotate op) {
            return op;
        }

        @Override
        public Op attention(Attention op) {
            return new Attention(
                    op.q(), op.k(), op.v(), op.kvHead(), op.scale(), op.sinks(), op.cache() + caches, op.out());
        }

        @Override
        public Op selectRows(SelectRows op) {
            return new SelectRows(op.layer() + layers, op.q(), op.k(), op.w(), op.topK(), op.cache() + caches);
        }

        @Override
        public Op latentAttention(LatentAttention op) {
            return new LatentAttention(
                    op.q(),
                    op.latent(),
                    op.keyRope(),
                    op.keyUp(),
                    op.valueUp(),
                    op.heads(),
                    op.scale(),
                    op.cache() + caches,
                    op.selection() == null ? null : op.selection() + layers,
                    op.out());
        }

        @Override
        public Op gatedMlp(GatedMlp op) {
            return op;
        }

        @Override
        public Op route(Route op) {
            return new Route(
                    op.layer() + layers, op.in(), op.gate(), op.correctionBias(), op.expertScale(), op.router());
        }

        @Override
        public Op experts(Experts op) {
            return new Experts(op.layer() + layers, op.in(), op.held(), op.unit(), op.out());
        }

        @Override
        public Op gate(Gate op) {
            return op;
        }

        @Override
        public Op shortConvolution(ShortConvolution op) {
            return new ShortConvolution(op.x(), op.convolutions(), op.kernel(), op.cache() + caches, op.out());
        }

        @Override
        public Op gatedDeltaRule(GatedDeltaRule op) {
            return new GatedDeltaRule(
                    op.q(),
                    op.k(),
                    op.v(),
                    op.decay(),
                    op.beta(),
                    op.rate(),
                    op.dtBias(),
                    op.keyWidth(),
                    op.keyHead(),
                    op.cache() + caches,
                    op.out());
        }

        @Override
        public Op scale(Scale op) {
            return op;
        }

        @Override
        public Op add(Add op) {
            return op;
        }

        @Override
        public Op exchangeBegin(ExchangeBegin op) {
            throw new IllegalArgumentException("a layer that exchanges values cannot be repeated");
        }

        @Override
        public Op exchangeAwait(ExchangeAwait op) {
            throw new IllegalArgumentException("a layer that exchanges values cannot be repeated");
        }

        @Override
        public Op logits(Logits op) {
            throw new IllegalArgumentException("logits cannot be repeated");
        }
    }
}
