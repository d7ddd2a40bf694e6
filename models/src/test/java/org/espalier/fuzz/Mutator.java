package org.espalier.fuzz;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Damages a valid input: the same seed makes the same damage. */
final class Mutator {

    /** Numbers at which lengths, offsets and counts go wrong. */
    private static final long[] EDGES = {
        0,
        1,
        -1,
        7,
        8,
        127,
        128,
        255,
        256,
        65535,
        65536,
        Integer.MAX_VALUE,
        1L << 31,
        1L << 32,
        1L << 40,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };

    private static final List<String> WORDS = List.of(
            "null",
            "true",
            "-1",
            "0",
            "1e999",
            "1e-999",
            "9223372036854775808",
            "1e9",
            "\"\"",
            "[]",
            "{}",
            "\"\\ud800\"",
            "NaN",
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "|",
            "(",
            ")",
            "'",
            "\"",
            "\\",
            "..",
            "\0",
            "\u2028",
            "\uD83C\uDF33");

    private static final List<String> OPENERS =
            List.of("[", "{\"a\":", "[[", "{{", "((", "{% if a %}", "not ", "-", "{\"model\":{", "a|b(", "[{");

    private final List<byte[]> corpus;
    private final SplittableRandom random;

    Mutator(List<byte[]> corpus, long seed) {
        this.corpus = corpus;
        this.random = new SplittableRandom(seed);
    }

    byte[] next() {
        byte[] bytes = pick(corpus).clone();
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            bytes = mutate(bytes);
        }
        return bytes;
    }

    private byte[] mutate(byte[] bytes) {
        if (bytes.length == 0) {
            return pick(corpus).clone();
        }
        return switch (random.nextInt(9)) {
            case 0 -> flip(bytes);
            case 1 -> replace(bytes, place(bytes), 1, new byte[] {(byte) random.nextInt(256)});
            case 2 -> Arrays.copyOf(bytes, place(bytes));
            case 3 -> length(bytes);
            case 4 -> splice(bytes);
            case 5 -> nest(bytes);
            case 6 -> replace(bytes, place(bytes), random.nextInt(16), text(pick(WORDS)));
            case 7 -> digits(bytes);
            default -> repeat(bytes);
        };
    }

    private byte[] flip(byte[] bytes) {
        bytes[place(bytes)] ^= (byte) (1 << random.nextInt(8));
        return bytes;
    }

    /** Overwrites 4 or 8 bytes with an edge, as little-endian headers have them. */
    private byte[] length(byte[] bytes) {
        int size = random.nextBoolean() ? Integer.BYTES : Long.BYTES;
        ByteBuffer number = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        number.putLong(EDGES[random.nextInt(EDGES.length)] + random.nextInt(2));
        int at = random.nextInt(4) == 0 ? 8 * random.nextInt(4) : place(bytes);
        return replace(bytes, Math.min(at, bytes.length), size, Arrays.copyOf(number.array(), size));
    }

    /** Puts a part of one input into another. */
    private byte[] splice(byte[] bytes) {
        byte[] other = pick(corpus);
        int from = random.nextInt(other.length);
        int to = from + random.nextInt(Math.min(200, other.length - from) + 1);
        return replace(bytes, place(bytes), random.nextInt(64), Arrays.copyOfRange(other, from, to));
    }

    private byte[] nest(byte[] bytes) {
        int depth = 1 << random.nextInt(random.nextInt(8) == 0 ? 16 : 8);
        return replace(bytes, place(bytes), 0, text(pick(OPENERS).repeat(depth)));
    }

    /** Makes another number of a run of digits. */
    private byte[] digits(byte[] bytes) {
        int from = place(bytes);
        while (from < bytes.length && !isDigit(bytes[from])) {
            from++;
        }
        int to = from;
        while (to < bytes.length && isDigit(bytes[to])) {
            to++;
        }
        return replace(bytes, from, to - from, text(Long.toString(EDGES[random.nextInt(EDGES.length)])));
    }

    private byte[] repeat(byte[] bytes) {
        int from = place(bytes);
        int size = Math.min(random.nextInt(32) + 1, bytes.length - from);
        byte[] part = Arrays.copyOfRange(bytes, from, from + size);
        ByteArrayOutputStream copies = new ByteArrayOutputStream();
        for (int i = 1 << random.nextInt(8); i > 0; i--) {
            copies.writeBytes(part);
        }
        return replace(bytes, from, 0, copies.toByteArray());
    }

    private static byte[] replace(byte[] bytes, int at, int removed, byte[] by) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(bytes, 0, at);
        out.writeBytes(by);
        int rest = Math.min(bytes.length, at + removed);
        out.write(bytes, rest, bytes.length - rest);
        return out.toByteArray();
    }

    private int place(byte[] bytes) {
        return random.nextInt(bytes.length);
    }

    private <T> T pick(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
