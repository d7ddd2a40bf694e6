package org.espalier.engine;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A session's interventions in expert routing, by the checkpoint's layer index; read by the route op.
 */
public record RouterEdits(Map<Integer, LayerEdit> layers) {

    public static final RouterEdits NONE = new RouterEdits(Map.of());

    public RouterEdits {
        layers = Map.copyOf(layers);
    }

    /**
     * One layer's interventions, applied in this order: banned experts cannot be chosen; forced ones always are, before the
     * best of the others; then top-k many are kept.
     *
     * @param ban experts never chosen
     * @param force experts always chosen, with the weight of their own score
     * @param topK in place of the model's K
     * @param scale multiplies the final weights; 1 changes nothing
     */
    public record LayerEdit(Set<Integer> ban, List<Integer> force, OptionalInt topK, float scale) {
        public LayerEdit {
            ban = Set.copyOf(ban);
            force = List.copyOf(force);
            if (topK.orElse(0) < 0) {
                throw new EngineException("a router edit keeps " + topK.getAsInt() + " experts: expected 0 or more");
            }
        }
    }
}
