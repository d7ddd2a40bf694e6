package org.espalier.checkpoint;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;

/** GGUF's numbers and booleans of one type, as they stand in a file. Each becomes an object when it is asked for; unsigned ones keep their value. */
final class StoredNumbers extends AbstractList<Object> implements RandomAccess {
    private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}; // by type; 0 is of another kind

    private final int type;
    private final ByteBuffer bytes;

    /** @param bytes a whole number of values */
    StoredNumbers(int type, byte[] bytes) {
        this.type = type;
        this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Bytes of a value, or 0 where the type is none of numbers. */
    static int size(int type) {
        return type < 0 || type >= SIZES.length ? 0 : SIZES[type];
    }

    @Override
    public Object get(int index) {
        int at = Objects.checkIndex(index, size()) * size(type);
        return switch (type) {
            case 0 -> (short) (bytes.get(at) & 0xFF);
            case 1 -> bytes.get(at);
            case 2 -> bytes.getShort(at) & 0xFFFF;
            case 3 -> bytes.getShort(at);
            case 4 -> bytes.getInt(at) & 0xFFFF_FFFFL;
            case 5 -> bytes.getInt(at);
            case 6 -> bytes.getFloat(at);
            case 7 -> bytes.get(at) != 0;
            case 10 -> unsigned(bytes.getLong(at));
            case 11 -> bytes.getLong(at);
            case 12 -> bytes.getDouble(at);
            default -> throw new IllegalStateException("type " + type);
        };
    }

    private static Number unsigned(long value) {
        if (value >= 0) {
            return value;
        }
        return new BigInteger(Long.toUnsignedString(value));
    }

    @Override
    public int size() {
        return bytes.capacity() / size(type);
    }
}
