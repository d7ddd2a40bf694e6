package org.espalier.placement;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.espalier.Remedy;

/** A placement as JSON, to keep, edit and give back with {@code --placement FILE.json}. */
public final class PlacementFile {

    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private PlacementFile() {}

    public static void write(Placement placement, Path file) {
        try {
            Files.writeString(file, JSON.writeValueAsString(placement) + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the placement to " + file, e);
        }
    }

    /** @throws PlacementException if the file is missing or not a placement; whether it fits the model is checked by {@link Placement#check} */
    public static Placement read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new PlacementException("there is no placement file " + file, Remedy.PLAN_PLACEMENT);
        }
        try {
            return JSON.readValue(Files.readString(file), Placement.class);
        } catch (JsonProcessingException e) {
            throw new PlacementException(file + " is not a placement: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new PlacementException("cannot read the placement file " + file + ": " + e.getMessage(), e);
        }
    }
}
