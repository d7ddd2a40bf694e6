package org.espalier.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a checkpoint says beside its vocabulary.
 *
 * @param addBos whether a prompt starts with the begin-of-sequence token even if the vocabulary's post-processor does not add it
 * @param chatTemplate Jinja source
 */
record TokenizerConfig(
        boolean addBos, Optional<String> bosToken, Optional<String> eosToken, Optional<String> chatTemplate) {

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Reads {@code tokenizer_config.json}; a {@code chat_template.jinja} beside it, as newer checkpoints have, goes before the
     * template inside. Both may be missing.
     */
    static TokenizerConfig ofDirectory(Path directory) throws IOException {
        Path file = directory.resolve("tokenizer_config.json");
        JsonNode config = Files.isRegularFile(file) ? read(file) : JSON.createObjectNode();
        Path template = directory.resolve("chat_template.jinja");
        return new TokenizerConfig(
                config.path("add_bos_token").asBoolean(false),
                token(config.path("bos_token")),
                token(config.path("eos_token")),
                Files.isRegularFile(template)
                        ? Optional.of(Files.readString(template))
                        : template(config.path("chat_template")));
    }

    private static JsonNode read(Path file) throws IOException {
        try {
            JsonNode config = JSON.readTree(Files.readAllBytes(file));
            if (config.isObject()) {
                return config;
            }
        } catch (JsonProcessingException e) {
            throw new TokenizerException(
                    file + " is not readable JSON (" + e.getOriginalMessage()
                            + "): fetch it again from the published checkpoint",
                    e);
        }
        throw new TokenizerException(file + " is not a JSON object: fetch it again from the published checkpoint");
    }

    /** A token is written as its text or as an object with {@code content}. */
    private static Optional<String> token(JsonNode node) {
        return Optional.ofNullable((node.isObject() ? node.path("content") : node).textValue());
    }

    /** One template, or a list of named ones of which {@code default} is meant for chats. */
    private static Optional<String> template(JsonNode node) {
        if (!node.isArray()) {
            return Optional.ofNullable(node.textValue());
        }
        for (JsonNode named : node) {
            if (named.path("name").asText().equals("default")) {
                return Optional.ofNullable(named.path("template").textValue());
            }
        }
        return Optional.empty();
    }
}
