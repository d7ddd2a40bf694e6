package org.espalier.cluster;

import java.util.List;

/** The growing text of an answer: text that may turn out to begin a stop text is held back, so that no part of one is ever shown. */
final class AnswerText {

    private final ClientModel.TextStream stream;
    private final List<String> stops;
    private final StringBuilder shown = new StringBuilder();
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    AnswerText(ClientModel.TextStream stream, List<String> stops) {
        this.stream = stream;
        this.stops = List.copyOf(stops);
    }

    /** Adds a token and returns the text that may be shown now, perhaps empty. */
    String add(int token) {
        return more(stream.add(token), false);
    }

    /** The remaining text, once there are no more tokens. */
    String end() {
        return more(stream.end(), true);
    }

    /** All the text shown so far. */
    String text() {
        return shown.toString();
    }

    private String more(String piece, boolean last) {
        if (stopped) {
            return "";
        }
        held.append(piece);
        int stop = stops.stream()
                .mapToInt(held::indexOf)
                .filter(at -> at >= 0)
                .min()
                .orElse(-1);
        stopped = stop >= 0;
        int free = stopped ? stop : last ? held.length() : held.length() - mayBecomeStop();
        String text = held.substring(0, free);
        held.delete(0, free);
        shown.append(text);
        return text;
    }

    /** Length of the longest suffix of the held text that is a prefix of a stop text. */
    private int mayBecomeStop() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (stop.startsWith(held.substring(held.length() - length))) {
                    longest = length;
                }
            }
        }
        return longest;
    }
}
