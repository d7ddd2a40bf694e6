package org.espalier.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A byte-level BPE vocabulary as GGUF files carry it ({@code tokenizer.ggml.*}, <a
 * href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">format document</a>), written as the {@code tokenizer.json} that it
 * was converted from.
 */
final class GgufVocabulary {

    /** {@code tokenizer.ggml.token_type}. */
    private static final int CONTROL = 3;

    private static final int USER_DEFINED = 4;
    private static final int UNUSED = 5;

    private final Map<String, ?> metadata;
    private final String source;
    private final List<?> tokens;
    private final PreTokenizer preTokenizer;

    /** @throws TokenizerException if the vocabulary is not byte-level BPE or its splitting rule is unknown */
    GgufVocabulary(Map<String, ?> metadata, String source) {
        this.metadata = metadata;
        this.source = source;
        String model = text("tokenizer.ggml.model").orElseThrow(() -> missing("tokenizer.ggml.model"));
        if (!model.equals("gpt2")) {
            throw new TokenizerException(
                    source + " has a tokenizer of kind \"" + model
                            + "\", only gpt2 (byte-level BPE) is supported in GGUF: use the safetensors checkpoint, which has a tokenizer.json");
        }
        this.tokens = list("tokenizer.ggml.tokens").orElseThrow(() -> missing("tokenizer.ggml.tokens"));
        this.preTokenizer = PreTokenizer.named(text("tokenizer.ggml.pre").orElse("default"), source);
    }

    TokenizerConfig config() {
        boolean addBos = metadata.get("tokenizer.ggml.add_bos_token") instanceof Boolean asked
                ? asked
                : preTokenizer.addsBosByDefault();
        return new TokenizerConfig(
                addBos,
                token("tokenizer.ggml.bos_token_id"),
                token("tokenizer.ggml.eos_token_id"),
                text("tokenizer.chat_template"));
    }

    byte[] tokenizerJson() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 22);
        try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringField("version", "1.0");
            json.writeNullField("truncation");
            json.writeNullField("padding");
            writeAddedTokens(json);
            preTokenizer.write(json);
            json.writeNullField("post_processor");
            json.writeFieldName("decoder");
            PreTokenizer.writeByteLevel(json, false);
            writeModel(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a byte array does not fail
        }
        return bytes.toByteArray();
    }

    /** Tokens that are found in a text before it is split. */
    private void writeAddedTokens(JsonGenerator json) throws IOException {
        List<?> types = list("tokenizer.ggml.token_type").orElse(List.of());
        json.writeArrayFieldStart("added_tokens");
        for (int id = 0; id < tokens.size(); id++) {
            int type = type(types, id);
            if (type == CONTROL || type == USER_DEFINED) {
                json.writeStartObject();
                json.writeNumberField("id", id);
                json.writeStringField("content", tokenAt(id));
                json.writeBooleanField("single_word", false);
                json.writeBooleanField("lstrip", false);
                json.writeBooleanField("rstrip", false);
                json.writeBooleanField("normalized", false);
                json.writeBooleanField("special", type == CONTROL);
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    private void writeModel(JsonGenerator json) throws IOException {
        List<?> types = list("tokenizer.ggml.token_type").orElse(List.of());
        json.writeObjectFieldStart("model");
        json.writeStringField("type", "BPE");
        json.writeNullField("unk_token");
        json.writeBooleanField("fuse_unk", false);
        json.writeBooleanField("byte_fallback", false);
        json.writeBooleanField("ignore_merges", preTokenizer.ignoresMerges());
        json.writeObjectFieldStart("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            if (type(types, id) != UNUSED) {
                json.writeNumberField(tokenAt(id), id);
            }
        }
        json.writeEndObject();
        json.writeArrayFieldStart("merges");
        for (Object merge : list("tokenizer.ggml.merges").orElse(List.of())) {
            json.writeString(String.valueOf(merge));
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static int type(List<?> types, int id) {
        return id < types.size() && types.get(id) instanceof Number type ? type.intValue() : 1;
    }

    private String tokenAt(int id) {
        if (tokens.get(id) instanceof String token) {
            return token;
        }
        throw new TokenizerException("token " + id + " of " + source + " is not a string: fetch the file again");
    }

    private Optional<String> token(String key) {
        if (!(metadata.get(key) instanceof Number id)) {
            return Optional.empty();
        }
        if (id.longValue() < 0 || id.longValue() >= tokens.size()) {
            throw new TokenizerException(key + " of " + source + " is " + id + ", the vocabulary has " + tokens.size()
                    + " tokens: fetch the file again");
        }
        return Optional.of(tokenAt(id.intValue()));
    }

    private Optional<String> text(String key) {
        return Optional.ofNullable(metadata.get(key)).map(Object::toString);
    }

    private Optional<List<?>> list(String key) {
        return metadata.get(key) instanceof List<?> list ? Optional.of(list) : Optional.empty();
    }

    private TokenizerException missing(String key) {
        return new TokenizerException(
                source + " has no " + key + ": it carries no tokenizer; use a GGUF file with one");
    }
}
