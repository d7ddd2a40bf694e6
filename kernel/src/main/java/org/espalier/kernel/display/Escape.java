package org.espalier.kernel.display;

/** Text that goes into HTML and SVG. */
final class Escape {

    private Escape() {}

    static String html(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
