package org.espalier.cluster;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.espalier.config.RoutedExperts;
import org.espalier.model.ModelIdentity;
import org.espalier.plan.ModelSize;

/** What the client has to know of a model: headers and text, no weights. Closing it frees the tokenizer. */
interface ClientModel extends AutoCloseable {

    /** Short, for a deployment's id. */
    String name();

    /** What nodes resolve, each in its own folders. */
    ModelIdentity identity();

    ModelSize size();

    Set<Integer> endOfSequence();

    Optional<RoutedExperts> moe();

    /** @throws org.espalier.EspalierException if the model has no tokenizer, or no chat template for a conversation */
    List<Integer> encode(Prompt prompt);

    /** A new text of one generation; empty where the model has no tokenizer. */
    Optional<TextStream> text();

    @Override
    void close();

    /** Makes text of tokens as they come. */
    interface TextStream {
        /** The text that is complete with this token, perhaps none. */
        String add(int token);

        /** What is left in the end. */
        String end();
    }
}
