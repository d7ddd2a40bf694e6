package org.espalier.cluster;

import java.util.Arrays;
import java.util.List;

/** What a generation continues. */
public sealed interface Prompt {

    /** Plain text; the tokenizer adds its special tokens, for instance begin-of-sequence. */
    record Text(String text) implements Prompt {
        @Override
        public String toString() {
            return InShort.of(text);
        }
    }

    /** A conversation, rendered by the model's chat template up to where the assistant begins. */
    record Chat(List<Message> messages) implements Prompt {
        public Chat {
            messages = List.copyOf(messages);
        }

        /** The last message, in short. */
        @Override
        public String toString() {
            return messages.isEmpty()
                    ? "an empty conversation"
                    : InShort.of(messages.get(messages.size() - 1).content());
        }
    }

    /** Token ids as they are. */
    record Tokens(List<Integer> ids) implements Prompt {
        public Tokens {
            ids = List.copyOf(ids);
        }

        @Override
        public String toString() {
            return ids.size() + " token ids";
        }
    }

    /** @param role {@code system}, {@code user} or {@code assistant} */
    record Message(String role, String content) {}

    static Prompt text(String text) {
        return new Text(text);
    }

    /** A conversation with one question. */
    static Prompt chat(String question) {
        return new Chat(List.of(new Message("user", question)));
    }

    static Prompt tokens(List<Integer> ids) {
        return new Tokens(ids);
    }

    /** As a tokenizer gives them. */
    static Prompt tokens(int... ids) {
        return new Tokens(Arrays.stream(ids).boxed().toList());
    }
}
