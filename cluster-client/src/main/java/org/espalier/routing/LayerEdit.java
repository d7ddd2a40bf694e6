package org.espalier.routing;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.espalier.EspalierException;

/**
 * How a generation intervenes in one layer's choice of experts, for questions such as "what happens without these?". Applied in this
 * order: banned experts cannot be chosen; forced ones always are, before the best of the others; then as many as wanted are kept. The
 * head refuses layers and experts that the model does not have.
 *
 * <pre>{@code LayerEdit.of(5).banning(3, 17).scaledBy(0.5)}</pre>
 *
 * @param layer the checkpoint's index, as in the trace
 * @param ban experts never chosen
 * @param force experts always chosen, each with the weight that its own score gives
 * @param topK experts a token; 0 for the model's K
 * @param scale multiplies the final weights; 1 changes nothing
 */
public record LayerEdit(int layer, Set<Integer> ban, Set<Integer> force, int topK, float scale) {

    public LayerEdit {
        ban = Set.copyOf(ban);
        force = Set.copyOf(force);
        if (topK < 0) {
            throw new EspalierException(
                    "the edit of layer " + layer + " keeps " + topK + " experts: expected 0 (the model's) or more");
        }
        if (!Float.isFinite(scale)) {
            throw new EspalierException(
                    "the edit of layer " + layer + " scales by " + scale + ": expected a finite number");
        }
    }

    /** An edit that does not change anything yet. */
    public static LayerEdit of(int layer) {
        return new LayerEdit(layer, Set.of(), Set.of(), 0, 1);
    }

    /** Bans these experts too. */
    public LayerEdit banning(Integer... experts) {
        return banning(List.of(experts));
    }

    /** Bans these experts too. */
    public LayerEdit banning(Collection<Integer> experts) {
        return new LayerEdit(layer, both(ban, experts), force, topK, scale);
    }

    /** Forces these experts too, for every token. */
    public LayerEdit forcing(Integer... experts) {
        return new LayerEdit(layer, ban, both(force, List.of(experts)), topK, scale);
    }

    /** Keeps this many experts a token. */
    public LayerEdit keeping(int count) {
        return new LayerEdit(layer, ban, force, count, scale);
    }

    /** Multiplies the final weights of the experts by this factor. */
    public LayerEdit scaledBy(double factor) {
        return new LayerEdit(layer, ban, force, topK, (float) factor);
    }

    private static Set<Integer> both(Set<Integer> these, Collection<Integer> others) {
        Set<Integer> all = new TreeSet<>(these);
        all.addAll(others);
        return all;
    }
}
