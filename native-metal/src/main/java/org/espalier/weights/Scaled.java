package org.espalier.weights;

/**
 * Small numbers with a scale for each group of {@code group} columns in a region of its own; w = scale q. Rows may share a row of scales,
 * as the region says: DeepSeek's fp8 has a scale for each 128 x 128 values. The last group may be short.
 *
 * @param values {@link Element#E2M1}, {@link Element#INT4} or {@link Element#E4M3}
 */
public record Scaled(Element values, int group, Element scales) implements WeightFormat {

    /**
     * gpt-oss as published, and MLX's mode of this name, <a
     * href="https://www.opencompute.org/documents/ocp-microscaling-formats-mx-v1-0-spec-final-pdf">OCP MX 1.0</a>.
     */
    public static final Scaled MXFP4 = new Scaled(Element.E2M1, 32, Element.E8M0);

    public static final Scaled MXFP8 = new Scaled(Element.E4M3, 32, Element.E8M0);
    public static final Scaled NVFP4 = new Scaled(Element.E2M1, 16, Element.E4M3);

    public Scaled {
        if (group < 1 || values == Element.E8M0 || scales.bits() < Byte.SIZE) {
            throw new IllegalArgumentException("not a valid scaled format: values " + values + ", groups of " + group
                    + ", scales of type " + scales);
        }
    }

    @Override
    public String title() {
        if (equals(MXFP4)) {
            return "mxfp4";
        }
        if (equals(MXFP8)) {
            return "mxfp8";
        }
        if (equals(NVFP4)) {
            return "nvfp4";
        }
        return (values == Element.INT4 ? "int4" : "fp8 " + values) + ", group " + group;
    }

    @Override
    public long rowBytes(int columns) {
        return values.bytes(columns);
    }

    @Override
    public int granularity() {
        return group;
    }

    @Override
    public boolean fits(int columns) {
        return columns * (long) values.bits() % Byte.SIZE == 0;
    }

    /** Groups of a row of {@code columns} values. */
    public int groups(int columns) {
        return (int) ((columns + group - 1L) / group);
    }

    @Override
    public long scaleRowBytes(int columns) {
        return scales.bytes(groups(columns));
    }

    @Override
    public void decode(StoredRow row, int columns, float[] out) {
        for (int from = 0, index = 0; from < columns; from += group, index++) {
            float scale = scales.at(row.scales, index);
            int to = Math.min(columns, from + group);
            for (int i = from; i < to; i++) {
                out[i] = scale * values.at(row.values, i);
            }
        }
    }

    @Override
    public boolean hasDot() {
        return group % 2 == 0 && values.bits() == 4; // values are taken two by two
    }

    @Override
    public float dot(StoredRow row, int columns, float[] x, int at) {
        float[] nibbles = values.nibbles();
        float total = 0;
        for (int from = 0, index = 0; from < columns; from += group, index++) {
            float even = 0;
            float odd = 0;
            int to = Math.min(columns, from + group);
            for (int i = from; i < to; i += 2) {
                int pair = row.values[i >> 1];
                even += x[at + i] * nibbles[pair & 0xf];
                odd += x[at + i + 1] * nibbles[pair >> 4 & 0xf];
            }
            total += scales.at(row.scales, index) * (even + odd);
        }
        return total;
    }
}
