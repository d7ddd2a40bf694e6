package org.espalier.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import org.espalier.EspalierException;
import org.espalier.RegularFile;

/** Reads the small JSON files beside the weights: each an object without duplicate keys. */
public final class JsonFile {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static final JsonMapper CANONICAL = JsonMapper.builder()
            .enable(JsonNodeFeature.WRITE_PROPERTIES_SORTED)
            .enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER) // Double.toString changed with Java 19
            .build();

    private JsonFile() {}

    /** @throws CheckpointException if the file cannot be read or is not a JSON object */
    public static ObjectNode read(Path file) {
        try {
            JsonNode json = JSON.readTree(RegularFile.read(file, RegularFile.MOST_BYTES));
            if (json instanceof ObjectNode object) {
                return object;
            }
            throw new CheckpointException(file + " is not a JSON object");
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file + " is not valid JSON: " + e.getOriginalMessage() + at(e), e);
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + EspalierException.reason(e, file), e);
        }
    }

    /** The file's content in one form, whatever its white space and the order of its keys; the same on every Java. */
    static byte[] canonical(Path file) {
        try {
            return CANONICAL.writeValueAsBytes(read(file));
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file + " cannot be written as JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static String at(JsonProcessingException e) {
        return e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")";
    }
}
