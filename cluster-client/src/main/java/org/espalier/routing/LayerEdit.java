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
 * @param topK experts of a token; 0: as many as the model's K
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
            throw new EspalierException("the edit of layer " + layer + " scales by " + scale + ": expected a number");
        }
    }

    /** An edit that changes nothing yet. */
    public static LayerEdit of(int layer) {
        return new LayerEdit(layer, Set.of(), Set.of(), 0, 1);
    }

    /** Also without these experts. */
    public LayerEdit banning(Integer... experts) {
        return banning(List.of(experts));
    }

    /** Also without these experts. */
    public LayerEdit banning(Collection<Integer> experts) {
        return new LayerEdit(layer, both(ban, experts), force, topK, scale);
    }

    /** Also with these experts, for every token. */
    public LayerEdit forcing(Integer... experts) {
        return new LayerEdit(layer, ban, both(force, List.of(experts)), topK, scale);
    }

    /** So many experts a token. */
    public LayerEdit keeping(int count) {
        return new LayerEdit(layer, ban, force, count, scale);
    }

    /** Experts count for so much of what they do in the model. */
    public LayerEdit scaledBy(double factor) {
        return new LayerEdit(layer, ban, force, topK, (float) factor);
    }

    private static Set<Integer> both(Set<Integer> these, Collection<Integer> others) {
        Set<Integer> all = new TreeSet<>(these);
        all.addAll(others);
        return all;
    }
}
