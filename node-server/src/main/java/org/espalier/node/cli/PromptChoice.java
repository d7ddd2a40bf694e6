package org.espalier.node.cli;

import java.util.List;
import org.espalier.cluster.Prompt;
import picocli.CommandLine.Option;

/** One of the three ways to give a prompt; picocli sees to it that it is exactly one. */
final class PromptChoice {

    @Option(
            names = "--prompt",
            required = true,
            paramLabel = "TEXT",
            description = "Plain text to continue; the tokenizer adds its special tokens.")
    private String text;

    @Option(
            names = "--chat",
            required = true,
            paramLabel = "TEXT",
            description = "A question, put into the model's chat template.")
    private String chat;

    @Option(
            names = "--tokens",
            required = true,
            split = ",",
            paramLabel = "ID",
            description = "Token ids as they are, for instance 1,2,3; nothing is added.")
    private List<Integer> tokens;

    Prompt prompt() {
        if (text != null) {
            return Prompt.text(text);
        }
        return chat != null ? Prompt.chat(chat) : Prompt.tokens(tokens);
    }
}
