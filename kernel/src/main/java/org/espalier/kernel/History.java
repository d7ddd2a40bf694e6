package org.espalier.kernel;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.regex.Pattern;
import org.espalier.kernel.jupyter.Dispatcher;

/** The cells of this session, for clients that ask what was typed. */
final class History {

    private record Entry(int line, String source, String output) {}

    private final List<Entry> entries = new ArrayList<>();

    /** @param output the text of the cell's value; null for none */
    synchronized void add(int line, String source, String output) {
        entries.add(new Entry(line, source, output));
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
        StringBuilder regex = new StringBuilder();
        for (char c : glob.toCharArray()) {
            regex.append(c == '*' ? ".*" : c == '?' ? "." : Pattern.quote(String.valueOf(c)));
        }
        Pattern pattern = Pattern.compile(regex.toString(), Pattern.DOTALL);
        LinkedHashSet<String> seen = new LinkedHashSet<>();
        return entries.stream()
                .filter(entry -> pattern.matcher(entry.source).matches())
                .filter(entry -> !unique || seen.add(entry.source))
                .toList();
    }
}
