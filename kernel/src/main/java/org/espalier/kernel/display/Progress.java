package org.espalier.kernel.display;

import java.util.Collection;
import java.util.Iterator;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.LongFunction;

/**
 * How far a loop of yours is, as one line that is replaced:
 *
 * <pre>{@code
 * for (String text : Progress.over(texts)) { ... }
 *
 * try (Progress progress = Progress.of(1000)) {
 *     for (int i = 0; i < 1000; i++) { ...; progress.step(); }
 * }
 * }</pre>
 *
 * <p>The line changes at most ten times a second; its last state, which stays in the saved notebook, is the one at the end or at
 * {@link #close}. Threads may share one.
 */
public final class Progress implements AutoCloseable {

    private final String title;
    private final OptionalLong total;
    private final LiveLine line = new LiveLine();
    private final long started = System.nanoTime();
    private long done;
    private boolean over;

    private Progress(OptionalLong total, String title) {
        this.total = total;
        this.title = title.isEmpty() ? "" : title + " ";
        show();
    }

    /** Of {@code total} steps. */
    public static Progress of(long total) {
        return of(total, "");
    }

    /**
     * Of {@code total} steps.
     *
     * @param title what they do
     * @throws IllegalArgumentException if there are fewer than none
     */
    public static Progress of(long total, String title) {
        if (total < 0) {
            throw new IllegalArgumentException("there cannot be " + total + " steps");
        }
        return new Progress(OptionalLong.of(total), title);
    }

    /** The same elements; a step is done where the next one is asked for. How many there are is known of collections. */
    public static <T> Iterable<T> over(Iterable<T> elements) {
        return over(elements, "");
    }

    /** As {@link #over(Iterable)}, with what is done to them. */
    public static <T> Iterable<T> over(Iterable<T> elements, String title) {
        return () -> {
            OptionalLong total =
                    elements instanceof Collection<?> all ? OptionalLong.of(all.size()) : OptionalLong.empty();
            Progress progress = new Progress(total, title);
            Iterator<T> each = elements.iterator();
            return new Iterator<>() {
                private boolean begun;

                @Override
                public boolean hasNext() {
                    boolean more = each.hasNext();
                    if (!more) {
                        settle();
                        progress.close();
                    }
                    return more;
                }

                @Override
                public T next() {
                    T next = each.next();
                    settle();
                    begun = true;
                    return next;
                }

                private void settle() {
                    if (begun) {
                        progress.step();
                    }
                    begun = false;
                }
            };
        };
    }

    /** One more step is done. */
    public void step() {
        step(1);
    }

    /** So many more steps are done. */
    public synchronized void step(long steps) {
        done += steps;
        if (total.isPresent() && done >= total.getAsLong()) {
            close();
        } else if (!over && line.due()) {
            show();
        }
    }

    /** No more steps will come: the line stays as it is, with the time that it took. */
    @Override
    public synchronized void close() {
        if (!over || total.isPresent() && done > total.getAsLong()) {
            over = true;
            String end = total.isPresent() && done < total.getAsLong() ? ", ended after " : ", ";
            line.show(CurrentCell.output(), Bundles.note(title + count() + end + time(seconds())));
        }
    }

    private void show() {
        double part = total.isPresent() && total.getAsLong() > 0 ? (double) done / total.getAsLong() : 0;
        String left = part > 0 ? ", " + time(seconds() / part - seconds()) + " left" : "";
        line.show(CurrentCell.output(), LiveLine.bar((long) (100 * part), title + count() + left, title + "..."));
    }

    private String count() {
        LongFunction<String> digits = number -> String.format(Locale.ROOT, "%,d", number);
        return digits.apply(done)
                + (total.isPresent() ? " of " + digits.apply(total.getAsLong()) : done == 1 ? " step" : " steps");
    }

    private double seconds() {
        return (System.nanoTime() - started) / 1e9;
    }

    /** For instance {@code 4.2 s}, {@code 3:25 min}. */
    private static String time(double seconds) {
        long whole = Math.round(seconds);
        return seconds < 59.95
                ? String.format(Locale.ROOT, "%.1f s", seconds)
                : String.format(Locale.ROOT, "%d:%02d min", whole / 60, whole % 60);
    }
}
