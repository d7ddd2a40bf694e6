package org.espalier.hub;

import java.util.Locale;

/**
 * How far fetching is.
 *
 * @param done bytes that are here, those of earlier runs too
 * @param total bytes of all files
 * @param perSecond bytes, over this run so far
 */
public record PullProgress(long done, long total, double perSecond) {

    /** "1.2 of 3.4 GB (35 %), 21 MB/s, 1:45 left". */
    public String text() {
        long seconds = perSecond > 0 ? Math.round((total - done) / perSecond) : 0;
        String left = seconds >= 3600
                ? String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60);
        boolean small = total < 1_000_000_000;
        return String.format(
                Locale.ROOT,
                "%.1f of %.1f %s (%d %%), %.1f MB/s, %s left",
                done / (small ? 1e6 : 1e9),
                total / (small ? 1e6 : 1e9),
                small ? "MB" : "GB",
                total == 0 ? 100 : 100 * done / total,
                perSecond / 1e6,
                left);
    }
}
