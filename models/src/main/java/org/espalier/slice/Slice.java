package org.espalier.slice;

import java.util.List;
import java.util.Optional;
import org.espalier.program.Experts;

/**
 * What one node holds of a model.
 *
 * @param layers its layers
 * @param heads its share of each layer's attention heads
 * @param width its share of the width of each MLP; of experts too, unless it holds only some of them
 * @param vocabulary its share of the rows of the output matrix; the embedding is never shared
 * @param experts the experts that it holds, whole, ascending; empty for all
 */
public record Slice(
        LayerRange layers, Share heads, Share width, Share vocabulary, Optional<List<Experts.Held>> experts) {

    public Slice {
        experts = experts.map(List::copyOf);
    }

    /** These layers, and everything in them. */
    public static Slice of(LayerRange layers) {
        return new Slice(layers, Share.WHOLE, Share.WHOLE, Share.WHOLE, Optional.empty());
    }

    /** Everything in {@code layers} layers. */
    public static Slice whole(int layers) {
        return of(LayerRange.whole(layers));
    }

    /** The same share of heads, width and vocabulary. */
    public Slice sharing(Share share) {
        return new Slice(layers, share, share, share, experts);
    }

    /** The same with whole experts, of which these are held. */
    public Slice holding(List<Experts.Held> held) {
        return new Slice(layers, heads, width, vocabulary, Optional.of(held));
    }

    /** Whether it has its layers for itself. */
    public boolean isWhole() {
        return heads.isWhole() && width.isWhole() && vocabulary.isWhole() && experts.isEmpty();
    }
}
