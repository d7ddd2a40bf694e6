package org.espalier.tokenizer;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A vocabulary as SentencePiece models and GGUF files list it: the token with id i stands at place i.
 *
 * @param texts the tokens as the vocabulary spells them; an empty one is a gap
 * @param types one of the constants for each token, numbered as in SentencePiece's {@code sentencepiece_model.proto}
 */
record TokenTable(List<String> texts, int[] types) {

    static final int NORMAL = 1;
    static final int UNKNOWN = 2;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;
    static final int UNUSED = 5;
    static final int BYTE = 6;

    /**
     * The id of each token by its text.
     *
     * @throws TokenizerException if two have the same
     */
    Map<String, Integer> ids(String source) {
        Map<String, Integer> ids = new HashMap<>(2 * size());
        for (int id = 0; id < size(); id++) {
            Integer earlier = texts.get(id).isEmpty() ? null : ids.putIfAbsent(texts.get(id), id);
            if (earlier != null) {
                throw new TokenizerException("\"" + texts.get(id) + "\" is both token " + earlier + " and token " + id
                        + " of " + source + ": fetch the file again");
            }
        }
        return ids;
    }

    int size() {
        return texts.size();
    }

    /** Writes the field {@code added_tokens}: tokens that are found in a text before it is split. */
    void writeAddedTokens(JsonGenerator json) throws IOException {
        json.writeArrayFieldStart("added_tokens");
        for (int id = 0; id < size(); id++) {
            if (isAdded(id) && !texts.get(id).isEmpty()) {
                json.writeStartObject();
                json.writeNumberField("id", id);
                json.writeStringField("content", texts.get(id));
                json.writeBooleanField("single_word", false);
                json.writeBooleanField("lstrip", false);
                json.writeBooleanField("rstrip", false);
                json.writeBooleanField("normalized", false);
                json.writeBooleanField("special", types[id] != USER_DEFINED);
                json.writeEndObject();
            }
        }
        json.writeEndArray();
    }

    /** Writes the field {@code vocab}. */
    void writeVocabulary(JsonGenerator json) throws IOException {
        json.writeObjectFieldStart("vocab");
        for (int id = 0; id < size(); id++) {
            if (types[id] != UNUSED && !texts.get(id).isEmpty()) {
                json.writeNumberField(texts.get(id), id);
            }
        }
        json.writeEndObject();
    }

    private boolean isAdded(int id) {
        return types[id] == CONTROL || types[id] == USER_DEFINED || types[id] == UNKNOWN;
    }
}
