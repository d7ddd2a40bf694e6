package org.espalier.template;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** C's {@code strftime}, in English. */
final class Strftime {

    private Strftime() {}

    static String format(String format, ZonedDateTime time) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            if (format.charAt(i) != '%' || i + 1 == format.length()) {
                out.append(format.charAt(i));
                continue;
            }
            char code = format.charAt(++i);
            boolean unpadded = code == '-' && i + 1 < format.length();
            String text = field(unpadded ? format.charAt(++i) : code, time);
            out.append(unpadded && text.startsWith("0") && text.length() > 1 ? text.substring(1) : text);
        }
        return out.toString();
    }

    private static String field(char code, ZonedDateTime time) {
        return switch (code) {
            case '%' -> "%";
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'D' -> format("%m/%d/%y", time);
            case 'F' -> format("%Y-%m-%d", time);
            case 'T' -> format("%H:%M:%S", time);
            case 'R' -> format("%H:%M", time);
            default ->
                DateTimeFormatter.ofPattern(pattern(code), Locale.ENGLISH).format(time);
        };
    }

    private static String pattern(char code) {
        return switch (code) {
            case 'Y' -> "uuuu";
            case 'y' -> "uu";
            case 'm' -> "MM";
            case 'B' -> "MMMM";
            case 'b', 'h' -> "MMM";
            case 'd' -> "dd";
            case 'j' -> "DDD";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'f' -> "SSSSSS";
            case 'p' -> "a";
            case 'z' -> "xx";
            case 'Z' -> "zzz";
            default ->
                throw new TemplateException(
                        "strftime_now does not know %" + code + ": use %Y, %m, %d, %B, %b, %H, %M or %S");
        };
    }
}
