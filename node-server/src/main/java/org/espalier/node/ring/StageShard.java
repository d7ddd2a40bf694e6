package org.espalier.node.ring;

import java.util.Optional;
import org.espalier.config.RoutedExperts;
import org.espalier.engine.LoadedProgram;

/** What a node holds of a model: its loaded layers, and what the head has to know of the whole. */
public interface StageShard extends AutoCloseable {

    /** Owned by the node's engine thread. */
    LoadedProgram program();

    /** The engine and precision that run. */
    String engine();

    String precision();

    /** The greatest number of positions of a session. */
    int context();

    /** V. */
    int vocabulary();

    /** The whole model's experts; empty for a dense one. */
    Optional<RoutedExperts> moe();

    /**
     * A new text of one generation; only the head asks.
     *
     * @throws org.espalier.EspalierException if the model has no tokenizer
     */
    TokenText text();

    /** Frees the program; called by the engine thread. */
    @Override
    void close();
}
