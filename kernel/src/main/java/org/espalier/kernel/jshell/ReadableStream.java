package org.espalier.kernel.jshell;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.UnaryOperator;

/** Text on its way out, with what the reader calls things: {@code printStackTrace()} and the names of a notebook's own classes. */
public final class ReadableStream extends PrintStream {

    private final UnaryOperator<String> readable;

    /** @param readable what is written of a text that names a class of JShell's; null for nothing */
    public ReadableStream(OutputStream out, UnaryOperator<String> readable) {
        super(out, true, StandardCharsets.UTF_8);
        this.readable = readable;
    }

    @Override
    public void print(String text) {
        String shown = shown(text);
        if (shown != null) {
            super.print(shown);
        }
    }

    @Override
    public void println(String text) {
        String shown = shown(text);
        if (shown != null) {
            super.println(shown);
        }
    }

    @Override
    public void print(Object value) {
        print(String.valueOf(value));
    }

    @Override
    public void println(Object value) {
        println(String.valueOf(value));
    }

    /** Nothing waits in here. JShell flushes after each snippet, and must not wait for a thread that holds the lock. */
    @Override
    public void flush() {}

    /** It outlives whoever closes it, as a {@code PrintWriter} in a try statement does: later cells print too. */
    @Override
    public void close() {}

    private String shown(String text) {
        boolean concerns = text != null && (text.contains("$JShell$") || text.startsWith("\tat "));
        return concerns ? readable.apply(text) : String.valueOf(text);
    }
}
