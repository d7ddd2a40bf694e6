package org.espalier.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/** A {@code tokenizer.json} written in memory, from what another format says. */
final class TokenizerJson {

    /** Fields of the document, or of an object in it. */
    @FunctionalInterface
    interface Fields {
        void write(JsonGenerator json) throws IOException;
    }

    private TokenizerJson() {}

    /**
     * @param tokens the vocabulary
     * @param steps writes {@code normalizer}, {@code pre_tokenizer} and {@code decoder}
     * @param model writes what {@code model} has beside {@code type} and {@code vocab}
     */
    static byte[] bpe(TokenTable tokens, Fields steps, Fields model) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 22);
        try (JsonGenerator json = new JsonFactory().createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringField("version", "1.0");
            json.writeNullField("truncation");
            json.writeNullField("padding");
            tokens.writeAddedTokens(json);
            json.writeNullField("post_processor");
            steps.write(json);
            json.writeObjectFieldStart("model");
            json.writeStringField("type", "BPE");
            model.write(json);
            tokens.writeVocabulary(json);
            json.writeEndObject();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a byte array does not fail
        }
        return bytes.toByteArray();
    }

    /** Writes one of the library's steps: an object with a {@code type}. */
    static void writeStep(JsonGenerator json, String type, Fields fields) throws IOException {
        json.writeStartObject();
        json.writeStringField("type", type);
        fields.write(json);
        json.writeEndObject();
    }
}
