package org.espalier.weights;

/** One number after the other. */
public record Plain(Element values) implements WeightFormat {

    public static final Plain F32 = new Plain(Element.F32);
    public static final Plain F16 = new Plain(Element.F16);
    public static final Plain BF16 = new Plain(Element.BF16);

    public Plain {
        if (values.bits() < 16) {
            throw new IllegalArgumentException("numbers of type " + values + " need scales");
        }
    }

    @Override
    public String title() {
        return values.name();
    }

    @Override
    public long rowBytes(int columns) {
        return values.bytes(columns);
    }

    @Override
    public int granularity() {
        return 1;
    }

    @Override
    public void decode(StoredRow row, int columns, float[] out) {
        values.decode(row.values, columns, out);
    }

    @Override
    public boolean hasDot() {
        return values == Element.BF16;
    }

    @Override
    public float dot(StoredRow row, int columns, float[] x, int at) {
        byte[] bytes = row.values;
        float sum0 = 0;
        float sum1 = 0;
        float sum2 = 0;
        float sum3 = 0;
        int i = 0;
        for (; i <= columns - 4; i += 4) {
            sum0 += x[at + i] * Element.bf16(bytes, 2 * i);
            sum1 += x[at + i + 1] * Element.bf16(bytes, 2 * i + 2);
            sum2 += x[at + i + 2] * Element.bf16(bytes, 2 * i + 4);
            sum3 += x[at + i + 3] * Element.bf16(bytes, 2 * i + 6);
        }
        for (; i < columns; i++) {
            sum0 += x[at + i] * Element.bf16(bytes, 2 * i);
        }
        return sum0 + sum1 + (sum2 + sum3);
    }
}
