package org.espalier.node.ring;

import java.util.concurrent.TimeUnit;

/** How long a shard's steps take: how long one may take before its engine counts as hung, and how many rows make a short step. */
final class StepTimes {

    /** No step is late before this. */
    private static final long LEAST = TimeUnit.SECONDS.toNanos(60);

    /** How many times the slowest step so far, row by row, one may take. */
    private static final int SLOWER = 20;

    /** The first step may have to read the whole shard from a disk this slow. */
    private static final double DISK_BYTES_PER_NANO = 0.05; // 50 MB/s

    /** No row of a long step may take longer than this, however slow one was. */
    static final long LONGEST_ROW = TimeUnit.SECONDS.toNanos(1000);

    /** Weight of the newest measurement in a mean. */
    private static final double NEWEST = 0.25;

    private final long firstLimit;
    /** The first step reads the weights: it says nothing of the later ones. */
    private boolean warm;

    private double slowestRow;
    /** Nanoseconds of a step of one row, and of one row of a step of several; 0 where unknown. */
    private double single;

    private double perRow;

    StepTimes(long residentBytes) {
        this.firstLimit = LEAST + (long) (residentBytes / DISK_BYTES_PER_NANO);
    }

    void measured(int rows, long nanos) {
        if (!warm) {
            warm = true;
            return;
        }
        double row = (double) nanos / rows;
        slowestRow = Math.max(slowestRow, row);
        if (rows == 1) {
            single = mean(single, row);
        } else {
            perRow = mean(perRow, row);
        }
    }

    private static double mean(double before, double value) {
        return before == 0 ? value : (1 - NEWEST) * before + NEWEST * value;
    }

    /** How long a step may take. */
    long limitNanos(int rows) {
        return Math.max(leastLimitNanos(), rowLimitNanos() * rows);
    }

    /** How long even the shortest step may take. */
    long leastLimitNanos() {
        return slowestRow == 0 ? firstLimit : LEAST;
    }

    /** How long each row of a long step may take. As long as that is not known, the shortest may take the time of {@link StepRows#LEAST} rows. */
    long rowLimitNanos() {
        double row = slowestRow == 0 ? (double) firstLimit / StepRows.LEAST : SLOWER * slowestRow;
        return (long) Math.min(row, LONGEST_ROW);
    }

    /** How many rows a step may have that takes no longer than {@code times} steps of one row. */
    int rowsWithin(int times) {
        if (single == 0 || perRow == 0) {
            return times; // as if each row cost the same
        }
        return Math.max(times, (int) Math.min(Integer.MAX_VALUE, times * single / perRow));
    }
}
