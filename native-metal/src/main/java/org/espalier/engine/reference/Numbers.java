package org.espalier.engine.reference;

import java.nio.ByteBuffer;

/** What numbers activations are: rounded after each op, and stored so between shards. */
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

    /** Bytes of one, little-endian. */
    int bytes();

    /** Rounds values in place to the nearest that there are. */
    void round(float[] values, int from, int count);

    void put(ByteBuffer into, float value);

    float get(ByteBuffer from);
}
