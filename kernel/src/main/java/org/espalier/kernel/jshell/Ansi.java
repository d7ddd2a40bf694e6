package org.espalier.kernel.jshell;

/** Colours that can be read on white and on black: never black or white themselves. */
public final class Ansi {

    private Ansi() {}

    public static String red(String text) {
        return "\u001b[1;31m" + text + "\u001b[0m";
    }
}
