package org.espalier.kernel.dependencies;

import java.util.regex.Pattern;

/** The user and password, or token, that a URL may hold: they belong in no message. */
final class UserInfo {

    /** To the last @ before the path: a password may hold one that is not encoded. */
    private static final Pattern PLACE = Pattern.compile("(?<=://)[^/\\s]*@");

    private UserInfo() {}

    static String strip(String text) {
        return PLACE.matcher(text).replaceAll("");
    }

    /** The same failure and its causes in words; their classes stay as names only, since their messages cannot be changed. */
    static Throwable strip(Throwable failure) {
        Throwable cause = failure.getCause();
        Exception copy = new Exception(strip(failure.toString()), cause == null ? null : strip(cause));
        copy.setStackTrace(failure.getStackTrace());
        return copy;
    }
}
