package org.espalier.kernel;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.espalier.kernel.jupyter.Dispatcher;

/** The cells of this session, for clients that ask what was typed. */
final class History {

    private record Entry(int line, String source, String output) {
        int characters() {
            return source.length() + (output == null ? 0 : output.length());
        }
    }

    /** Of an output, which is kept as a reminder only. */
    private static final int OUTPUT_CHARACTERS = 10_000;

    /** Of all entries together; the oldest go. */
    static final int CHARACTERS = 50_000_000;

    private final List<Entry> entries = new ArrayList<>();
    private long characters;

    /** @param output the text of the cell's value; null for none */
    synchronized void add(int line, String source, String output) {
        boolean cut = output != null && output.length() > OUTPUT_CHARACTERS;
        Entry added = new Entry(line, source, cut ? output.substring(0, OUTPUT_CHARACTERS) + "..." : output);
        entries.add(added);
        characters += added.characters();
        while (characters > CHARACTERS) {
            characters -= entries.remove(0).characters();
        }
    }

    /** The content of a history_reply for a history_request's: {@code tail}, {@code range} or {@code search}. */
    synchronized ObjectNode reply(ObjectNode request) {
        List<Entry> found = switch (request.path("hist_access_type").asText()) {
            case "range" ->
                range(request.path("start").asInt(0), request.path("stop").asInt(Integer.MAX_VALUE));
            case "search" ->
                search(
                        request.path("pattern").asText("*"),
                        request.path("unique").asBoolean(false));
            default -> entries;
        };
        int count = request.path("n").asInt(found.size());
        boolean withOutput = request.path("output").asBoolean(false);
        ObjectNode reply = Dispatcher.ok();
        ArrayNode history = reply.putArray("history");
        for (Entry entry : found.subList(Math.max(0, found.size() - Math.max(0, count)), found.size())) {
            ArrayNode row = history.addArray().add(0).add(entry.line); // session 0: the current one
            if (withOutput) {
                row.addArray().add(entry.source).add(entry.output);
            } else {
                row.add(entry.source);
            }
        }
        return reply;
    }

    private List<Entry> range(int start, int stop) {
        return entries.stream()
                .filter(entry -> entry.line >= start && entry.line < stop)
                .toList();
    }

    /** A pattern as in file names: * for anything, ? for one character. */
    private List<Entry> search(String glob, boolean unique) {
        LinkedHashSet<String> seen = new LinkedHashSet<>();
        return entries.stream()
                .filter(entry -> matches(glob, entry.source))
                .filter(entry -> !unique || seen.add(entry.source))
                .toList();
    }

    /** Goes back to the last * only, so that no pattern takes longer than pattern times text. */
    private static boolean matches(String glob, String text) {
        int g = 0;
        int t = 0;
        int star = -1;
        int resume = 0;
        while (t < text.length()) {
            char wanted = g < glob.length() ? glob.charAt(g) : 0;
            if (g < glob.length() && wanted == '*') {
                star = g++;
                resume = t;
            } else if (g < glob.length() && (wanted == '?' || wanted == text.charAt(t))) {
                g++;
                t++;
            } else if (star >= 0) {
                g = star + 1;
                t = ++resume;
            } else {
                return false;
            }
        }
        while (g < glob.length() && glob.charAt(g) == '*') {
            g++;
        }
        return g == glob.length();
    }
}
