package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.gson.Gson;
import com.google.gson.JsonIOException;
import java.io.IOException;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;

/** The base's display data as the content of a message. */
public final class Displays {

    /** A larger bundle is not shown: notebooks that hold such can hardly be opened. */
    static final int BYTES = 20_000_000;

    private static final Gson GSON = new Gson();
    private static final ObjectMapper JSON = new ObjectMapper();

    private Displays() {}

    /** An object with {@code data}, {@code metadata} and {@code transient}; a sentence in place of data that are too large. */
    public static ObjectNode json(DisplayData data) {
        try {
            Bounded text = new Bounded();
            GSON.toJson(data, text);
            ObjectNode node = (ObjectNode) JSON.readTree(text.written.toString());
            for (String part : new String[] {"data", "metadata", "transient"}) {
                if (!node.path(part).isObject()) {
                    node.putObject(part);
                }
            }
            return node;
        } catch (JsonIOException e) {
            DisplayData sentence = new DisplayData("(more than " + BYTES / 1_000_000
                    + " MB to show, so nothing of it is shown: write it to a file, or show a part)");
            if (data.hasDisplayId()) {
                sentence.setDisplayId(data.getDisplayId());
            }
            return json(sentence);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Keeps what is written, up to a limit in bytes of UTF-8. */
    private static final class Bounded implements Appendable {

        private final StringBuilder written = new StringBuilder();
        private long bytes;

        @Override
        public Appendable append(CharSequence text) throws IOException {
            return append(text, 0, text.length());
        }

        @Override
        public Appendable append(CharSequence text, int start, int end) throws IOException {
            if (bytes + (end - start) > BYTES) {
                throw new IOException("too large");
            }
            for (int i = start; i < end; i++) {
                char c = text.charAt(i);
                bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
            }
            if (bytes > BYTES) {
                throw new IOException("too large");
            }
            written.append(text, start, end);
            return this;
        }

        @Override
        public Appendable append(char c) throws IOException {
            return append(String.valueOf(c));
        }
    }
}
