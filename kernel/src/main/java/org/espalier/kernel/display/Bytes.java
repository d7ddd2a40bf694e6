package org.espalier.kernel.display;

import java.util.Locale;

/** Amounts of memory in decimal units, as file managers and model cards give them. */
public final class Bytes {

    private Bytes() {}

    /** For instance {@code 98.4 MB}. */
    public static String text(long bytes) {
        String[] units = {"B", "kB", "MB", "GB"};
        double amount = bytes;
        int unit = 0;
        while (amount >= 999.95 && unit < units.length - 1) {
            amount /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", amount, units[unit]);
    }
}
