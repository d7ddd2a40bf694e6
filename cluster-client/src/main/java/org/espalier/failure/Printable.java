package org.espalier.failure;

import java.util.regex.Pattern;

/** What others say, made fit to be shown: in terminals, control characters move the cursor, change colours and titles, and type. */
public final class Printable {

    private static final int LONGEST_LINE = 200;

    /**
     * Control characters of 7 and 8 bits, those that turn the direction of a line around, and separators of lines; not the joiners, without which some scripts
     * and emoji cannot be written.
     */
    private static final String UNPRINTABLE = "[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Cs}&&[^\u200c\u200d";

    private static final Pattern IN_A_LINE = Pattern.compile(UNPRINTABLE + "]]");
    private static final Pattern IN_A_TEXT = Pattern.compile(UNPRINTABLE + "\n\t]]");

    private Printable() {}

    /** One line of at most 200 characters, with a question mark for each that cannot be shown. */
    public static String line(String text) {
        return cell(text.length() > LONGEST_LINE ? text.substring(0, LONGEST_LINE) : text);
    }

    /** One line of any length. */
    public static String cell(String text) {
        return IN_A_LINE.matcher(text).replaceAll("?");
    }

    /** As it is, with a question mark for each character that cannot be shown; line breaks and tabs stay. */
    public static String text(String text) {
        return IN_A_TEXT.matcher(text).replaceAll("?");
    }
}
