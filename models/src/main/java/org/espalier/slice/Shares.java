package org.espalier.slice;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.espalier.program.Experts;

/**
 * Which part of its layers a node has.
 *
 * @param heads of each layer's attention heads
 * @param width of the width of each MLP; of experts too, unless experts are listed
 * @param vocabulary of the rows of the output matrix; the embedding is never shared
 * @param experts the experts that it holds, whole, ascending; empty for all
 */
public record Shares(Share heads, Share width, Share vocabulary, Optional<List<Experts.Held>> experts) {

    /** Everything. */
    public static final Shares ALL = of(Share.WHOLE);

    public Shares {
        experts = experts.map(List::copyOf);
    }

    /** The same share of heads, width and vocabulary. */
    public static Shares of(Share share) {
        return new Shares(share, share, share, Optional.empty());
    }

    /** The same with whole experts, of which these are held. */
    public Shares holding(List<Experts.Held> held) {
        return new Shares(heads, width, vocabulary, Optional.of(held));
    }

    public boolean isAll() {
        return heads.isWhole() && width.isWhole() && vocabulary.isWhole() && experts.isEmpty();
    }

    @Override
    public String toString() {
        List<String> parts = new ArrayList<>();
        if (heads.equals(width) && width.equals(vocabulary)) {
            parts.add(heads.toString());
        } else {
            parts.add("heads " + heads + ", width " + width + ", vocabulary " + vocabulary);
        }
        experts.ifPresent(held -> parts.add(held.size() + (held.size() == 1 ? " expert" : " experts")));
        return String.join(", ", parts);
    }
}
