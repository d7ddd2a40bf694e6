package org.espalier.kernel.jshell;

import java.io.InputStream;
import java.io.PrintStream;

/** The process's streams, as the kernel set them: code may set any of them to null, and then nothing would be shown again. */
public final class StandardStreams {

    private static volatile InputStream in = System.in;
    private static volatile PrintStream out = System.out;
    private static volatile PrintStream err = System.err;

    private StandardStreams() {}

    /** Those that are set now are the kernel's. */
    public static void keep() {
        in = System.in;
        out = System.out;
        err = System.err;
    }

    /** Puts the kernel's in place of those that are null; another one that code has set stays. */
    static void restore() {
        if (System.in == null) {
            System.setIn(in);
        }
        System.setOut(out());
        System.setErr(err());
    }

    /** Where the kernel prints, whatever code does. */
    public static PrintStream out() {
        PrintStream now = System.out;
        return now == null ? out : now;
    }

    /** The same for errors. */
    public static PrintStream err() {
        PrintStream now = System.err;
        return now == null ? err : now;
    }
}
