package org.espalier.checkpoint;

import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.Objects;
import java.util.RandomAccess;

/** UTF-8 texts as they stand in a file. Each is decoded when it is asked for: vocabularies are large, and whoever only runs a model asks for none. */
final class StoredTexts extends AbstractList<String> implements RandomAccess {
    private static final int MOST_BYTES = Integer.MAX_VALUE - 8;

    private final int[] ends;
    private int count;
    private byte[] bytes = {}; // files may have many arrays without texts

    /** @param most texts that are added */
    StoredTexts(int most) {
        ends = new int[most];
    }

    /** How long the next text may be. */
    int room() {
        return MOST_BYTES - end();
    }

    /** Reads the next one, of {@code length} bytes. */
    void add(LittleEndianFile file, int length, String what) {
        file.require(length, what);
        int start = grow(length);
        file.read(bytes, start, length, what);
    }

    /** The next one, {@code length} bytes of {@code from}. */
    void add(byte[] from, int at, int length) {
        int start = grow(length);
        System.arraycopy(from, at, bytes, start, length);
    }

    /** Where the next text begins, of {@code length} bytes. */
    private int grow(int length) {
        int start = end();
        int end = start + length;
        if (end > bytes.length) {
            bytes = Arrays.copyOf(bytes, (int) Math.min(MOST_BYTES, Math.max(end, 2L * bytes.length)));
        }
        ends[count++] = end;
        return start;
    }

    /** What is allocated for texts. */
    int keptBytes() {
        return bytes.length;
    }

    private int end() {
        return count == 0 ? 0 : ends[count - 1];
    }

    /** Invalid bytes are replaced. */
    @Override
    public String get(int index) {
        Objects.checkIndex(index, count);
        int start = index == 0 ? 0 : ends[index - 1];
        return new String(bytes, start, ends[index] - start, StandardCharsets.UTF_8);
    }

    @Override
    public int size() {
        return count;
    }
}
