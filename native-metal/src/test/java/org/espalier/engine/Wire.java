package org.espalier.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Activations as they travel between shards: [T, width], little-endian. */
public final class Wire {

    private final int bytes;

    /** @param bytes of one value: 4 (float32) or 2 (bfloat16) */
    public Wire(int bytes) {
        if (bytes != Float.BYTES && bytes != Short.BYTES) {
            throw new IllegalArgumentException("activations of " + bytes + " bytes");
        }
        this.bytes = bytes;
    }

    int bytes() {
        return bytes;
    }

    /** Rows of {@code width} values; what a row does not fill is 0. */
    ByteBuffer pack(float[][] rows, int width) {
        ByteBuffer values = ByteBuffer.allocate(rows.length * width * bytes);
        for (int t = 0; t < rows.length; t++) {
            for (int i = 0; i < rows[t].length; i++) {
                set(values, t * width + i, rows[t][i]);
            }
        }
        return values;
    }

    /** The first {@code width} values of each row. */
    float[][] unpack(ByteBuffer values, int rows, int width) {
        int whole = values.remaining() / bytes / rows;
        float[][] unpacked = new float[rows][width];
        for (int t = 0; t < rows; t++) {
            for (int i = 0; i < width; i++) {
                unpacked[t][i] = get(values, t * whole + i);
            }
        }
        return unpacked;
    }

    /** Values from position to limit. */
    int count(ByteBuffer values) {
        return values.remaining() / bytes;
    }

    float get(ByteBuffer values, int index) {
        ByteBuffer little = values.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int at = values.position() + index * bytes;
        return bytes == Float.BYTES ? little.getFloat(at) : BFloat16.fromBits(little.getShort(at));
    }

    void set(ByteBuffer values, int index, float value) {
        ByteBuffer little = values.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int at = values.position() + index * bytes;
        if (bytes == Float.BYTES) {
            little.putFloat(at, value);
        } else {
            little.putShort(at, BFloat16.bits(value));
        }
    }
}
