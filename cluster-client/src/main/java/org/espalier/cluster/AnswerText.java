package org.espalier.cluster;

import java.util.List;

/** The growing text of an answer: holds back what may become a stop text, so that no part of one is ever shown. */
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

    /** Adds a token; what may be shown now, perhaps nothing. */
    String add(int token) {
        return more(stream.add(token), false);
    }

    /** The rest, once no more tokens come. */
    String end() {
        return more(stream.end(), true);
    }

    /** All that was shown. */
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

    /** Length of the longest end of the held text that is the beginning of a stop text. */
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
