package org.espalier.engine.library;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.function.BiConsumer;
import org.espalier.program.View;

/** Writes a flat buffer of 32-bit words, as {@code espalier.h} describes them. */
final class Words {

    private static final View NO_VIEW = new View(-1, 0, 0);

    private int[] words = new int[64];
    private int count;

    Words add(int word) {
        reserve(1);
        words[count++] = word;
        return this;
    }

    Words addLong(long value) {
        return add((int) value).add((int) (value >>> Integer.SIZE));
    }

    Words addFloat(float value) {
        return add(Float.floatToRawIntBits(value));
    }

    Words addFlag(boolean value) {
        return add(value ? 1 : 0);
    }

    Words addView(View view) {
        View written = view == null ? NO_VIEW : view;
        return add(written.slot()).add(written.offset()).add(written.width());
    }

    Words addString(String text) {
        return addBytes(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** Their number, then the bytes from position to limit, zero-padded to a whole word. */
    Words addBytes(ByteBuffer bytes) {
        ByteBuffer little = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        add(little.remaining());
        reserve(little.remaining() / Integer.BYTES + 1);
        while (little.remaining() >= Integer.BYTES) {
            words[count++] = little.getInt();
        }
        if (little.hasRemaining()) {
            int word = 0;
            for (int shift = 0; little.hasRemaining(); shift += Byte.SIZE) {
                word |= (little.get() & 0xff) << shift;
            }
            words[count++] = word;
        }
        return this;
    }

    /** Words without their number. */
    Words addAll(int... all) {
        reserve(all.length);
        System.arraycopy(all, 0, words, count, all.length);
        count += all.length;
        return this;
    }

    Words addInts(Collection<Integer> list) {
        return addList(list, Words::add);
    }

    <T> Words addList(Collection<T> list, BiConsumer<Words, T> item) {
        add(list.size());
        list.forEach(each -> item.accept(this, each));
        return this;
    }

    /** The number of words of {@code part}, then these. */
    Words addPart(Words part) {
        return add(part.count).append(part);
    }

    Words append(Words other) {
        reserve(other.count);
        System.arraycopy(other.words, 0, words, count, other.count);
        count += other.count;
        return this;
    }

    int count() {
        return count;
    }

    int[] toArray() {
        return Arrays.copyOf(words, count);
    }

    /** The words from position to limit. */
    ByteBuffer toBytes() {
        ByteBuffer bytes =
                ByteBuffer.allocate(Math.multiplyExact(count, Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(words, 0, count);
        return bytes;
    }

    private void reserve(int more) {
        if (more > words.length - count) {
            words = Arrays.copyOf(
                    words, Math.max(Math.addExact(count, more), (int) Math.min(2L * words.length, 1 << 30)));
        }
    }
}
