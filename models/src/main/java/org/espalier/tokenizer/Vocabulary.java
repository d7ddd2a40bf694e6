package org.espalier.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/** The tokens of a {@code tokenizer.json} by their text: {@code model.vocab} and {@code added_tokens}. The steps are checked on the way. */
final class Vocabulary {

    /** Published tokens have some 300 characters at most; the library frees long ones with a recursion per character. */
    private static final int MAX_TOKEN = 4096;

    /**
     * A duplicate key could be read one way here and another way there. Names are tokens, hundreds of thousands of them, which need not be
     * interned.
     */
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY);

    private final Map<String, Integer> ids = new HashMap<>();

    private final TokenizerSteps steps;

    private Vocabulary(TokenizerSteps steps) {
        this.steps = steps;
    }

    /** @throws TokenizerException if the document is not JSON or has no vocabulary */
    static Vocabulary read(byte[] tokenizerJson, String source) {
        Vocabulary vocabulary = new Vocabulary(new TokenizerSteps(source));
        try (JsonParser json = JSON.createParser(tokenizerJson)) {
            if (json.nextToken() == JsonToken.START_OBJECT) {
                vocabulary.readDocument(json);
            }
        } catch (IOException e) {
            String why = e instanceof JsonProcessingException known ? known.getOriginalMessage() : e.getMessage();
            throw new TokenizerException(
                    source + " is not readable JSON (" + why + "): fetch it again from the published checkpoint", e);
        }
        if (vocabulary.ids.isEmpty()) {
            throw new TokenizerException(
                    source + " has no model.vocab: it is not a tokenizer.json of Hugging Face tokenizers");
        }
        return vocabulary;
    }

    int size() {
        return ids.size();
    }

    OptionalInt idOf(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    private void readDocument(JsonParser json) throws IOException {
        for (String key = json.nextFieldName(); key != null; key = json.nextFieldName()) {
            JsonToken value = json.nextToken();
            if (TokenizerSteps.isSteps(key)) {
                steps.check(key, JSON.readTree(json));
            } else if (key.equals("model") && value == JsonToken.START_OBJECT) {
                readModel(json);
            } else if (key.equals("added_tokens") && value == JsonToken.START_ARRAY) {
                while (json.nextToken() == JsonToken.START_OBJECT) {
                    readAddedToken(json);
                }
            } else {
                json.skipChildren();
            }
        }
    }

    private void readModel(JsonParser json) throws IOException {
        String type = "BPE";
        String prefix = null;
        for (String key = json.nextFieldName(); key != null; key = json.nextFieldName()) {
            JsonToken value = json.nextToken();
            if (key.equals("vocab") && value == JsonToken.START_OBJECT) {
                for (String token = json.nextFieldName(); token != null; token = json.nextFieldName()) {
                    put(token, json.nextIntValue(-1));
                }
            } else if (key.equals("vocab") && value == JsonToken.START_ARRAY) {
                readScoredTokens(json);
            } else if (key.equals("type")) {
                type = json.getValueAsString("");
            } else if (key.equals("continuing_subword_prefix")) {
                prefix = json.getValueAsString();
            } else {
                json.skipChildren();
            }
        }
        steps.checkPrefix(type, prefix);
    }

    /** A unigram vocabulary: {@code [[token, score], ...]}, the id being the place in the list. */
    private void readScoredTokens(JsonParser json) throws IOException {
        for (int id = 0; json.nextToken() == JsonToken.START_ARRAY; id++) {
            put(json.nextTextValue(), id);
            while (json.nextToken() != JsonToken.END_ARRAY) {
                json.skipChildren();
            }
        }
    }

    private void readAddedToken(JsonParser json) throws IOException {
        String content = null;
        int id = -1;
        for (String key = json.nextFieldName(); key != null; key = json.nextFieldName()) {
            json.nextToken();
            switch (key) {
                case "content" -> content = json.getValueAsString();
                case "id" -> id = json.getValueAsInt(-1);
                default -> json.skipChildren();
            }
        }
        if (content != null && id >= 0) {
            put(content, id);
        }
    }

    private void put(String token, int id) throws IOException {
        if (token != null && token.length() > MAX_TOKEN) {
            throw new IOException(
                    "token " + id + " has " + token.length() + " characters, at most " + MAX_TOKEN + " can be");
        }
        ids.put(token, id);
    }
}
