package org.espalier.cluster;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.espalier.config.RoutedExperts;
import org.espalier.model.ModelIdentity;
import org.espalier.plan.ModelSize;

/** What a client needs of a model: headers and tokenizer, no weights. Closing it frees the tokenizer. */
interface ClientModel extends AutoCloseable {

    /** A short name, for a deployment's id. */
    String name();

    /** What each node resolves in its own folders. */
    ModelIdentity identity();

    ModelSize size();

    Set<Integer> endOfSequence();

    Optional<RoutedExperts> moe();

    /** Whether it has a chat template, and so takes questions. */
    boolean chats();

    /** @throws org.espalier.EspalierException if the model has no tokenizer, or no chat template for a conversation */
    List<Integer> encode(Prompt prompt);

    /** The text of each token, special ones as they are written; empty if the model has no tokenizer. */
    List<String> texts(List<Integer> tokens);

    /** A new text stream for one generation; empty if the model has no tokenizer. */
    Optional<TextStream> text();

    @Override
    void close();

    /** Turns tokens into text as they arrive. */
    interface TextStream {
        /** The text that this token completes, perhaps empty. */
        String add(int token);

        /** The remaining text, once there are no more tokens. */
        String end();
    }
}
