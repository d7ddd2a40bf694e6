package org.espalier.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Writes small GGUF files whose data is zeros, except for vectors that are given. */
final class GgufBuilder {
    private final ByteArrayOutputStream keys = new ByteArrayOutputStream();
    private final ByteArrayOutputStream infos = new ByteArrayOutputStream();
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private int version = 3;
    private long keyCount;
    private long tensorCount;

    /** The least that the architecture llama needs: one layer, width 32, one head, 4 tokens. */
    static GgufBuilder llama() {
        return llamaKeys()
                .tensor("token_embd.weight", GgmlType.F16, 4, 32)
                .tensor("output_norm.weight", GgmlType.F32, 32)
                .tensor("blk.0.attn_q.weight", GgmlType.Q4_0, 32, 32);
    }

    static GgufBuilder llamaKeys() {
        return new GgufBuilder()
                .key("general.architecture", "llama")
                .key("llama.block_count", 1)
                .key("llama.context_length", 64)
                .key("llama.embedding_length", 32)
                .key("llama.feed_forward_length", 64)
                .key("llama.attention.head_count", 1)
                .key("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .key("tokenizer.ggml.tokens", List.of("a", "b", "c", "d"))
                .key("tokenizer.ggml.eos_token_id", 3);
    }

    GgufBuilder version(int value) {
        version = value;
        return this;
    }

    GgufBuilder key(String key, Object value) {
        text(keys, key);
        int type = typeOf(value);
        int32(keys, type);
        value(type, value);
        keyCount++;
        return this;
    }

    /** A key whose value is of a type that does not exist. */
    GgufBuilder brokenKey(String key, int type) {
        text(keys, key);
        int32(keys, type);
        keyCount++;
        return this;
    }

    /** An array that claims a length. */
    GgufBuilder brokenArray(String key, int elementType, long length) {
        text(keys, key);
        int32(keys, 9);
        int32(keys, elementType);
        int64(keys, length);
        keyCount++;
        return this;
    }

    private static int typeOf(Object value) {
        if (value instanceof Integer) {
            return 4; // as llama.cpp writes: unsigned
        }
        return value instanceof Float ? 6 : value instanceof Boolean ? 7 : value instanceof String ? 8 : 9;
    }

    private void value(int type, Object value) {
        switch (type) {
            case 4 -> int32(keys, (Integer) value);
            case 6 -> int32(keys, Float.floatToRawIntBits((Float) value));
            case 7 -> keys.write((Boolean) value ? 1 : 0);
            case 8 -> text(keys, (String) value);
            default -> {
                List<?> list = (List<?>) value;
                int element = typeOf(list.get(0));
                int32(keys, element);
                int64(keys, list.size());
                list.forEach(one -> value(element, one));
            }
        }
    }

    /** @param shape outermost first */
    GgufBuilder tensor(String name, GgmlType type, long... shape) {
        long values = 1;
        for (long dimension : shape) {
            values *= dimension;
        }
        int id = type.ordinal() == GgmlType.F32.ordinal() ? 0 : idOf(type);
        return tensor(name, id, new byte[(int) (values / type.blockValues() * type.blockBytes())], shape);
    }

    private static int idOf(GgmlType type) {
        for (int id = 0; id < 100; id++) {
            if (GgmlType.of(id).filter(found -> found == type).isPresent()) {
                return id;
            }
        }
        throw new IllegalArgumentException(type.name());
    }

    GgufBuilder vector(String name, float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            bytes.putFloat(value);
        }
        return tensor(name, 0, bytes.array(), values.length);
    }

    GgufBuilder tensor(String name, int type, byte[] content, long... shape) {
        info(name, type, data.size(), shape);
        data.writeBytes(content);
        data.writeBytes(new byte[Math.floorMod(-data.size(), 32)]);
        return this;
    }

    /** As written, right or wrong; takes no data. */
    GgufBuilder info(String name, int type, long offset, long... shape) {
        text(infos, name);
        int32(infos, shape.length);
        for (int i = shape.length - 1; i >= 0; i--) {
            int64(infos, shape[i]);
        }
        int32(infos, type);
        int64(infos, offset);
        tensorCount++;
        return this;
    }

    byte[] bytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        int32(out, version);
        int64(out, tensorCount);
        int64(out, keyCount);
        out.writeBytes(keys.toByteArray());
        out.writeBytes(infos.toByteArray());
        out.writeBytes(new byte[Math.floorMod(-out.size(), 32)]);
        out.writeBytes(data.toByteArray());
        return out.toByteArray();
    }

    Path write(Path file) {
        return SafetensorsBuilder.write(file, bytes());
    }

    private static void text(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int64(out, bytes.length);
        out.writeBytes(bytes);
    }

    private static void int32(ByteArrayOutputStream out, int value) {
        out.writeBytes(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
    }

    private static void int64(ByteArrayOutputStream out, long value) {
        out.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
    }
}
