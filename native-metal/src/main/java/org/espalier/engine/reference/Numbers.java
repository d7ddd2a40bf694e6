package org.espalier.engine.reference;

import java.nio.ByteBuffer;

/** The number type of activations: they are rounded to it after each op, and stored in it between shards. */
interface Numbers {

    Numbers FLOAT32 = new Numbers() {
        @Override
        public int bytes() {
            return Float.BYTES;
        }

        @Override
        public void round(float[] values, int from, int count) {}

        @Override
        public void put(ByteBuffer into, float value) {
            into.putFloat(value);
        }

        @Override
        public float get(ByteBuffer from) {
            return from.getFloat();
        }
    };

    /** Bytes of one number, little-endian. */
    int bytes();

    /** Rounds values in place to the nearest number of this type. */
    void round(float[] values, int from, int count);

    void put(ByteBuffer into, float value);

    float get(ByteBuffer from);
}
