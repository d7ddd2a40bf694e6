package org.espalier.kernel.jshell;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.espalier.EspalierException;

/** An exception as lines for people: cells and their lines, nothing of how the kernel called the code, repetitions counted. */
final class Trace {

    private static final int FRAMES = 20;
    private static final int PERIOD = 8;
    private static final int MESSAGE = 20_000;

    private final SnippetFrames frames;
    private final List<String> lines = new ArrayList<>();
    private final Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    private Trace(SnippetFrames frames) {
        this.frames = frames;
    }

    /** The exception, its causes and what it suppressed. */
    static List<String> of(Throwable thrown, SnippetFrames frames) {
        Trace trace = new Trace(frames);
        trace.add(thrown, "", "");
        return trace.lines;
    }

    /** The same; one that was made on another thread does not know the cell that it ended. */
    static List<String> of(Throwable thrown, SnippetFrames frames, Origin running) {
        List<String> lines = of(thrown, frames);
        if (Stream.of(thrown.getStackTrace()).noneMatch(frames::isCode)) {
            lines.add("    at " + running.place(running.line(0)));
        }
        return lines;
    }

    private void add(Throwable thrown, String indent, String relation) {
        String message = message(thrown);
        String name = name(thrown);
        if (!seen.add(thrown)) {
            lines.add(indent + relation + name + " (shown above)");
            return;
        }
        lines.add(indent + Ansi.strong(relation + name + (message == null ? "" : ": " + message)));
        // Espalier's own errors say in their sentence what failed and where; the calls below it help nobody.
        boolean own = thrown instanceof EspalierException;
        collapse(texts(thrown.getStackTrace(), own)).forEach(frame -> lines.add(indent + "    " + frame));
        if (!own) {
            for (Throwable suppressed : thrown.getSuppressed()) {
                add(suppressed, indent + "    ", "Suppressed: ");
            }
            if (thrown.getCause() != null) {
                add(thrown.getCause(), indent, "Caused by: ");
            }
        }
    }

    /** The class as the notebook's code calls it. */
    static String name(Throwable thrown) {
        Class<?> type = thrown.getClass();
        return SnippetNames.clean((type.isAnonymousClass() ? type.getSuperclass() : type).getName());
    }

    /** The message without JShell's names, of a length that a notebook can hold; null for none. */
    static String message(Throwable thrown) {
        try {
            String whole = thrown.getMessage();
            boolean fits = whole == null || whole.length() <= MESSAGE;
            return SnippetNames.clean(
                    fits ? whole : whole.substring(0, MESSAGE) + " ... (" + whole.length() + " characters in all)");
        } catch (RuntimeException | StackOverflowError e) {
            return "(its message cannot be shown: " + e.getClass().getName() + ")";
        }
    }

    /** Frames down to the last one of a cell: what is below called that. */
    private List<String> texts(StackTraceElement[] stack, boolean onlyCells) {
        int end = stack.length;
        while (end > 0 && !frames.isCode(stack[end - 1])) {
            end--;
        }
        end = end == 0 && !onlyCells ? stack.length : end;
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < end; i++) {
            boolean shown = frames.isCode(stack[i]) || !onlyCells && !isKernels(stack[i]);
            if (shown && (i == 0 || !frames.isSameCode(stack[i], stack[i - 1]))) {
                texts.add("at " + frames.text(stack[i]));
            }
        }
        return texts;
    }

    /** What the JDK or the kernel put into the code, to stop it for instance. */
    private static boolean isKernels(StackTraceElement frame) {
        return frame.getClassName().startsWith("REPL.$Cancel$")
                || frame.getClassName().startsWith(Trace.class.getPackageName() + ".");
    }

    /** Counts what repeats, and leaves out the middle of what is still long. */
    private static List<String> collapse(List<String> frames) {
        List<String> shown = new ArrayList<>();
        for (int at = 0; at < frames.size(); ) {
            int period = 1;
            while (period <= PERIOD && repeats(frames, at, period) < 2) {
                period++;
            }
            if (period > PERIOD) {
                shown.add(frames.get(at++));
                continue;
            }
            int repeats = repeats(frames, at, period);
            shown.addAll(frames.subList(at, at + period));
            String what = period == 1 ? "the frame above" : "the " + period + " frames above";
            shown.add("... " + what + " " + repeats + " times more");
            at += period * (repeats + 1);
        }
        if (shown.size() <= FRAMES + 1) {
            return shown;
        }
        int head = FRAMES * 2 / 3;
        List<String> cut = new ArrayList<>(shown.subList(0, head));
        cut.add("... " + (shown.size() - FRAMES) + " lines left out");
        cut.addAll(shown.subList(shown.size() - (FRAMES - head), shown.size()));
        return cut;
    }

    /** How often the {@code period} frames from {@code at} on come again right after themselves. */
    private static int repeats(List<String> frames, int at, int period) {
        int same = 0;
        while (at + period + same < frames.size()
                && frames.get(at + period + same).equals(frames.get(at + same))) {
            same++;
        }
        return same / period;
    }
}
