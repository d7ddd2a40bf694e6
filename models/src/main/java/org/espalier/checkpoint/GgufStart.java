package org.espalier.checkpoint;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** The first bytes of a GGUF file, which say enough to refuse it before the rest is fetched. */
public final class GgufStart {

    /** How many bytes to look at: writers put the architecture first. */
    public static final int BYTES = 4096;

    private static final String KEY = "general.architecture";
    private static final int STRING = 8;

    private GgufStart() {}

    /**
     * @param name of the file, for errors
     * @param served the architectures
     * @throws CheckpointException if this is not a GGUF file, or its architecture comes first and is not supported
     */
    public static void require(byte[] start, String name, GgufDialects served) {
        ByteBuffer bytes = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN);
        if (start.length < 4 || !new String(start, 0, 4, StandardCharsets.US_ASCII).equals("GGUF")) {
            throw new CheckpointException(name + " is not a GGUF file: it does not begin with the bytes GGUF");
        }
        try {
            bytes.position(Integer.BYTES + Integer.BYTES + Long.BYTES + Long.BYTES); // magic, version, two counts
            if (text(bytes).equals(KEY) && bytes.getInt() == STRING) {
                served.require(text(bytes), name);
            }
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            return; // unusual, perhaps; the whole header will tell
        }
    }

    private static String text(ByteBuffer bytes) {
        long length = bytes.getLong();
        if (length < 0 || length > bytes.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] text = new byte[(int) length];
        bytes.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }
}
