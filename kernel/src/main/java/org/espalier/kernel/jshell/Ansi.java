package org.espalier.kernel.jshell;

/**
 * Emphasis by weight, never by colour: front ends tint errors, JupyterLab light red or dark red by its theme, and no one colour has 4.5:1 on both
 * (bold red has 2.1:1 in the dark one).
 */
public final class Ansi {

    private Ansi() {}

    public static String strong(String text) {
        return "\u001b[1m" + text + "\u001b[0m";
    }
}
