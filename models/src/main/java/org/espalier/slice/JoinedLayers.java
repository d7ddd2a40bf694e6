package org.espalier.slice;

import java.util.Optional;
import java.util.Set;

/**
 * Layers that use what the layer before them leaves in a step beside the residual stream (rows that an indexer chose), which does not go from
 * node to node: no node's layers begin with one of these.
 */
public record JoinedLayers(Set<Integer> layers) {

    public static final JoinedLayers NONE = new JoinedLayers(Set.of());

    public JoinedLayers {
        layers = Set.copyOf(layers);
    }

    /** Whether a node's layers can begin with {@code layer}. */
    public boolean mayBegin(int layer) {
        return !layers.contains(layer);
    }

    /** Why a node's layers cannot begin with {@code layer}; empty where they can. */
    public Optional<String> refusal(int layer) {
        return mayBegin(layer)
                ? Optional.empty()
                : Optional.of(
                        "layer " + layer + " uses rows that a layer before it chose, so that it cannot be the first of"
                                + " a node: place layer " + (layer - 1) + " with it");
    }
}
