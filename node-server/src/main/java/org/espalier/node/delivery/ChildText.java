package org.espalier.node.delivery;

/** Words of another program, for a message of ours. */
final class ChildText {

    private static final int MOST = 300;

    private ChildText() {}

    static String printable(String text) {
        String shown = text.replaceAll("[^\\x20-\\x7e]", "?");
        return shown.length() > MOST ? shown.substring(0, MOST) + "..." : shown;
    }
}
