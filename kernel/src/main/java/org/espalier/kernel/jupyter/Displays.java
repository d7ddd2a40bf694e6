package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.gson.Gson;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** The base's display data as the content of a message. */
public final class Displays {

    private static final Gson GSON = new Gson();
    private static final ObjectMapper JSON = new ObjectMapper();

    private Displays() {}

    /** An object with {@code data}, {@code metadata} and {@code transient}. */
    public static ObjectNode json(DisplayData data) {
        try {
            ObjectNode node = (ObjectNode) JSON.readTree(GSON.toJson(data));
            for (String part : new String[] {"data", "metadata", "transient"}) {
                if (!node.path(part).isObject()) {
                    node.putObject(part);
                }
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
