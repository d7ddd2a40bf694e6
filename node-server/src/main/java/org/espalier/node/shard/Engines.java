package org.espalier.node.shard;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.espalier.EspalierException;
import org.espalier.engine.Engine;
import org.espalier.engine.reference.ReferenceEngine;

/** The engines of this machine, each started when it is first asked for. A new engine is an entry here. */
public final class Engines implements AutoCloseable {

    /** The best first. */
    private static final Map<String, Supplier<Engine>> AVAILABLE =
            new LinkedHashMap<>(Map.of("reference", ReferenceEngine::new));

    private final String preferred;
    private final Map<String, Engine> started = new LinkedHashMap<>();

    /** @param preferred what {@link #named} takes where none is named; empty: the best */
    public Engines(String preferred) {
        this.preferred = preferred.isEmpty() ? names().get(0) : preferred;
    }

    /** Names that {@link #named} takes, the best first. */
    public static List<String> names() {
        return List.copyOf(AVAILABLE.keySet());
    }

    /** What to say where an engine of that name is asked for. */
    public static String unknown(String name) {
        return "there is no engine '" + name + "' here: choose one of " + String.join(", ", names());
    }

    /**
     * @param name empty: the preferred one
     * @throws EspalierException naming the known ones if there is none of that name
     */
    public synchronized Engine named(String name) {
        String chosen = name.isEmpty() ? preferred : name;
        Supplier<Engine> supplier = AVAILABLE.get(chosen);
        if (supplier == null) {
            throw new EspalierException(unknown(chosen));
        }
        return started.computeIfAbsent(chosen, key -> supplier.get());
    }

    @Override
    public synchronized void close() {
        started.values().forEach(Engine::close);
        started.clear();
    }
}
