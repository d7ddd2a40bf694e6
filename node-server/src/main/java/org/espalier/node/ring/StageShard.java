package org.espalier.node.ring;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.espalier.config.RoutedExperts;
import org.espalier.engine.LoadedProgram;

/** A loaded shard, as its stage runs it: the program of its layers, and what the head needs to know of the whole model. */
public interface StageShard extends AutoCloseable {

    /** The layers' program, run by the node's step thread only. */
    LoadedProgram program();

    /** The most rows of a step for which this node has room, from {@link StepRows#LEAST} to {@link StepRows#MOST}. */
    int stepRows();

    /** Name of the engine that runs the program. */
    String engine();

    /** {@code float32} or {@code fast}: the precision that runs. */
    String precision();

    /** The most positions of a session, prompt and answer together. */
    int context();

    /** V, the number of token ids that prompts may use. */
    int vocabulary();

    /** The routed experts of the whole model; empty for a dense one. */
    Optional<RoutedExperts> moe();

    /**
     * Opens what {@link #text} needs, where that takes long on a thread of its own.
     *
     * @return completes when it is open; exceptionally, saying why, if it cannot be opened or its files do not answer in time
     */
    default CompletableFuture<Void> openText() {
        return CompletableFuture.completedFuture(null);
    }

    /**
     * A new text for one generation's tokens; only the head asks for it, and after {@link #openText}.
     *
     * @throws org.espalier.EspalierException if the model has no tokenizer
     */
    TokenText text();

    /** Frees the program; called on the step thread. */
    @Override
    void close();
}
