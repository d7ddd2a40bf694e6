package org.espalier.node.ring;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.espalier.EspalierException;
import org.espalier.config.RoutedExperts;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.RouterEdits.LayerEdit;

/** Checks router edits against the experts that a model has. */
public final class EditLimits {

    private EditLimits() {}

    /**
     * @param experts of the whole model; empty for a dense one
     * @throws EspalierException naming the layer whose edit cannot be followed, and why
     */
    public static void check(RouterEdits edits, Optional<RoutedExperts> experts) {
        if (!edits.layers().isEmpty() && experts.isEmpty()) {
            throw new EspalierException("a router edit was asked for, but the model has no experts");
        }
        experts.ifPresent(moe -> edits.layers().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(edit ->
                        check("the router edit of layer " + edit.getKey(), edit.getKey(), edit.getValue(), moe)));
    }

    private static void check(String name, int layer, LayerEdit edit, RoutedExperts moe) {
        if (!moe.layers().contains(layer)) {
            throw new EspalierException(name + ": the layers with experts are " + moe.layers());
        }
        Stream.concat(edit.ban().stream().sorted(), edit.force().stream())
                .filter(expert -> expert < 0 || expert >= moe.count())
                .findFirst()
                .ifPresent(expert -> {
                    throw new EspalierException(
                            name + " names expert " + expert + ", but the layer has 0 to " + (moe.count() - 1));
                });
        int kept = edit.topK().orElse(moe.perToken());
        if (kept > moe.count()) {
            throw new EspalierException(name + " keeps " + kept + " experts, but the layer has " + moe.count());
        }
        if (edit.force().size() > kept) {
            throw new EspalierException(name + " forces " + edit.force().size() + " experts, but a token gets " + kept
                    + ": force fewer, or keep more");
        }
        if (edit.force().stream().anyMatch(edit.ban()::contains)) {
            throw new EspalierException(name + " bans and forces the same expert");
        }
        if (!Float.isFinite(edit.scale())) {
            throw new EspalierException(name + " scales by " + edit.scale() + ": expected a finite number");
        }
    }
}
