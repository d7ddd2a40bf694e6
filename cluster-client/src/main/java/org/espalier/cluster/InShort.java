package org.espalier.cluster;

/** Texts for titles and one-line descriptions. */
final class InShort {

    private static final int LONGEST = 60;

    private InShort() {}

    /** The text in quotes, in one line, cut after 60 characters. */
    static String of(String text) {
        String line = text.strip().replaceAll("\\s+", " ");
        if (line.length() > LONGEST) {
            int end = line.offsetByCodePoints(0, line.codePointCount(0, LONGEST));
            line = line.substring(0, end) + "...";
        }
        return '"' + line + '"';
    }
}
