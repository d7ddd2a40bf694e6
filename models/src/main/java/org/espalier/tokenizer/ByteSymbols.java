package org.espalier.tokenizer;

/**
 * The 256 characters that byte-level vocabularies are spelled in (Radford et al., 2019): a printable byte spells itself, the others are
 * spelled from U+0100 on, in order.
 */
final class ByteSymbols {

    private static final char[] SYMBOLS = new char[256];

    static {
        char next = 0x100;
        for (int b = 0; b < SYMBOLS.length; b++) {
            boolean printable = b > ' ' && b <= '~' || b >= 0xA1 && b != 0xAD;
            SYMBOLS[b] = printable ? (char) b : next++;
        }
    }

    private ByteSymbols() {}

    static String spell(byte[] bytes) {
        StringBuilder text = new StringBuilder(bytes.length);
        for (byte b : bytes) {
            text.append(SYMBOLS[b & 0xFF]);
        }
        return text.toString();
    }
}
