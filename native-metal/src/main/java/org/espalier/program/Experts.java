package org.espalier.program;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.espalier.weights.Weight;

/**
 * out[T, D] = sum over the chosen experts that this shard holds and computes of weight * down (activation(gate x, up x)), x = in[T, D].
 *
 * @param layer of the {@link Route} whose choice this is
 * @param held the experts whose matrices the unit's weights have, in their order
 * @param unit weights of count held.size()
 */
public record Experts(int layer, View in, List<Held> held, GatedUnit unit, View out) implements Op {

    public Experts {
        held = List.copyOf(held);
    }

    /**
     * An expert that this shard holds. Where several shards hold it, each computes its own share of the rows: the row at position p of its
     * session in layer l belongs to replica (p + l) mod replicas, so that sums do not depend on how rows are batched.
     *
     * @param expert its global id
     * @param replica which of the replicas this is, from 0
     * @param replicas how many shards hold the expert
     */
    public record Held(int expert, int replica, int replicas) {

        public Held {
            if (expert < 0 || replica < 0 || replica >= replicas) {
                throw new IllegalArgumentException(
                        "expert " + expert + " cannot be replica " + replica + " of " + replicas);
            }
        }

        /** Held by no other shard. */
        public static Held only(int expert) {
            return new Held(expert, 0, 1);
        }

        /** Whether this shard computes the expert for the row at {@code position} of its session. */
        public boolean computes(int position, int layer) {
            return (position + layer) % replicas == replica;
        }
    }

    @Override
    public List<View> reads() {
        return List.of(in);
    }

    @Override
    public List<View> writes() {
        return List.of(out);
    }

    @Override
    public List<String> weights() {
        return unit.weights();
    }

    @Override
    public void check(OpCheck check) {
        check.apart(in, out);
        int experts = check.router(layer).experts();
        Set<Integer> ids = new HashSet<>();
        for (Held one : held) {
            check.that(one.expert() < experts, "holds expert %s of 0 to %s", one.expert(), experts - 1);
            check.that(ids.add(one.expert()), "holds expert %s twice", one.expert());
        }
        check.unit(unit, in.width(), out.width(), held.size());
    }

    /** Of the touched experts the share that is held, each once; K experts a row. */
    @Override
    public Cost cost(Program program, StepShape step) {
        Router router = program.router(layer);
        Cost cost = Cost.NONE;
        for (String name : weights()) {
            Weight weight = program.weight(name);
            long held = weight.count();
            long bytes = weight.bytes() * Math.min(step.experts(), router.experts()) / router.experts();
            long chosen = (long) step.rows() * router.topK() * held / router.experts();
            cost = cost.plus(new Cost(bytes, 0, chosen * 2 * weight.rows() * weight.columns()));
        }
        return cost;
    }

    @Override
    public <R> R accept(Visitor<R> visitor) {
        return visitor.experts(this);
    }
}
