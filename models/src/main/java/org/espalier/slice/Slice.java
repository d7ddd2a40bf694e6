package org.espalier.slice;

import java.util.List;
import org.espalier.program.Experts;

/**
 * What one node holds of a model.
 *
 * @param shares its part of these layers
 */
public record Slice(LayerRange layers, Shares shares) {

    /** These layers, and everything in them. */
    public static Slice of(LayerRange layers) {
        return new Slice(layers, Shares.ALL);
    }

    /** Everything in {@code layers} layers. */
    public static Slice whole(int layers) {
        return of(LayerRange.whole(layers));
    }

    /** With this share of heads, width and vocabulary, and the same experts. */
    public Slice sharing(Share share) {
        return new Slice(layers, new Shares(share, share, share, shares.experts()));
    }

    /** The same with whole experts, of which these are held. */
    public Slice holding(List<Experts.Held> held) {
        return new Slice(layers, shares.holding(held));
    }
}
