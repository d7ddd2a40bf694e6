package org.espalier.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.EngineProvider.Availability;
import org.espalier.engine.Precision;
import org.espalier.node.shard.Engines;
import org.espalier.program.Program;

/** Which engines there are, and which of them can run a program; nothing is loaded or fetched for it. */
record EngineReport(List<Line> lines) {

    /** @param state {@code ready}, {@code not fetched yet}, {@code missing} or {@code cannot run this model}, and why */
    record Line(String name, String state, List<String> precisions) {}

    static EngineReport of(Program program) {
        try (Engines engines = new Engines("")) {
            return new EngineReport(engines.providers().stream()
                    .map(provider -> new Line(
                            provider.name(),
                            state(provider, program),
                            provider.precisions().stream()
                                    .sorted()
                                    .map(Precision::title)
                                    .toList()))
                    .toList());
        }
    }

    private static String state(EngineProvider provider, Program program) {
        Availability availability = provider.availability();
        if (availability instanceof Availability.Missing missing) {
            return "missing: " + missing.why();
        }
        if (availability instanceof Availability.Obtainable obtainable) {
            return String.format(Locale.ROOT, "not fetched yet: %s, %,d bytes", obtainable.what(), obtainable.bytes());
        }
        Precision precision = provider.precisions().contains(Precision.FAST) ? Precision.FAST : Precision.FLOAT32;
        Optional<String> refusal = provider.refusal(program, EngineOptions.FLOAT32.with(precision));
        return refusal.map(why -> "cannot run this model: " + why)
                .orElse("ready: " + ((Availability.Ready) availability).device());
    }

    List<String> describe() {
        return lines.stream()
                .map(line -> String.format(
                        Locale.ROOT,
                        "%-18s %s, %s; %s",
                        "engine",
                        line.name(),
                        line.precisions().stream().collect(Collectors.joining(" and ")),
                        line.state()))
                .toList();
    }

    ArrayNode toJson() {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        for (Line line : lines) {
            ObjectNode node = array.addObject().put("name", line.name()).put("state", line.state());
            line.precisions().forEach(node.putArray("precisions")::add);
        }
        return array;
    }
}
