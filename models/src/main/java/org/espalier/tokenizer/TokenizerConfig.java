package org.espalier.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.espalier.RegularFile;

/**
 * What a checkpoint says beside its vocabulary.
 *
 * @param addBos whether a prompt starts with the begin-of-sequence token even if the vocabulary's post-processor does not add it
 * @param chatTemplate Jinja source
 */
record TokenizerConfig(
        boolean addBos, Optional<String> bosToken, Optional<String> eosToken, Optional<String> chatTemplate) {

    /** Published templates have up to 100 KB. */
    private static final int MOST_TEMPLATE_BYTES = 4 << 20;

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Reads {@code tokenizer_config.json}, and for tokens that it does not name {@code special_tokens_map.json}. The chat template is
     * {@code chat_template.jinja}, as newer checkpoints have it, else {@code chat_template.json}, else the one inside. All may be
     * missing.
     *
     * @param addBos what holds if the files do not say
     */
    static TokenizerConfig ofDirectory(Path directory, boolean addBos) throws IOException {
        JsonNode config = json(directory, "tokenizer_config.json");
        JsonNode tokens = json(directory, "special_tokens_map.json");
        return new TokenizerConfig(
                config.path("add_bos_token").asBoolean(addBos),
                token(config, tokens, "bos_token"),
                token(config, tokens, "eos_token"),
                template(directory, config));
    }

    /** The object in a file; an empty one if there is no such file. */
    static JsonNode json(Path directory, String name) throws IOException {
        Path file = directory.resolve(name);
        if (!RegularFile.isNamed(file)) {
            return JSON.createObjectNode();
        }
        try {
            JsonNode config = JSON.readTree(RegularFile.read(file, RegularFile.MOST_BYTES));
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
    private static Optional<String> token(JsonNode config, JsonNode tokens, String key) {
        JsonNode node = config.has(key) ? config.path(key) : tokens.path(key);
        return Optional.ofNullable((node.isObject() ? node.path("content") : node).textValue());
    }

    private static Optional<String> template(Path directory, JsonNode config) throws IOException {
        Path own = directory.resolve("chat_template.jinja");
        if (RegularFile.isNamed(own)) {
            return Optional.of(new String(RegularFile.read(own, MOST_TEMPLATE_BYTES), StandardCharsets.UTF_8));
        }
        Optional<String> wrapped = named(json(directory, "chat_template.json").path("chat_template"));
        return wrapped.isPresent() ? wrapped : named(config.path("chat_template"));
    }

    /** One template, or a list of named ones: {@code default} is meant for chats, and an only one for everything. */
    private static Optional<String> named(JsonNode node) {
        if (!node.isArray()) {
            return Optional.ofNullable(node.textValue());
        }
        for (JsonNode named : node) {
            if (node.size() == 1 || named.path("name").asText().equals("default")) {
                return Optional.ofNullable(named.path("template").textValue());
            }
        }
        return Optional.empty();
    }
}
