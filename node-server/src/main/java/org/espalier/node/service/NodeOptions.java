package org.espalier.node.service;

import java.nio.file.Path;
import java.util.List;
import org.espalier.EspalierException;
import org.espalier.engine.EngineOptions;
import org.espalier.transport.Listening;

/**
 * How a node serves.
 *
 * @param listening where, and to whom
 * @param name unique in a cluster
 * @param modelRoots folders that models may be in; empty for wherever its user may read
 * @param engine used when a load names none; empty for the best
 * @param loads how programs are loaded; a load says the precision itself
 * @param limits of what clients may use
 */
public record NodeOptions(
        Listening listening, String name, List<Path> modelRoots, String engine, EngineOptions loads, Limits limits) {

    /** @throws EspalierException if the name has more than a short line */
    public NodeOptions {
        Names.wrong("this node's name", name).ifPresent(why -> {
            throw new EspalierException(why + ": give it another with `--name`");
        });
        modelRoots = List.copyOf(modelRoots);
    }

    /** Any free port of 127.0.0.1, models wherever the user may read. */
    public static NodeOptions loopback(String name) {
        return new NodeOptions(Listening.loopback(), name, List.of(), "", EngineOptions.FLOAT32, Limits.usual());
    }

    public NodeOptions withLoads(EngineOptions options) {
        return new NodeOptions(listening, name, modelRoots, engine, options, limits);
    }

    public NodeOptions with(Listening place) {
        return new NodeOptions(place, name, modelRoots, engine, loads, limits);
    }

    public NodeOptions with(Limits most) {
        return new NodeOptions(listening, name, modelRoots, engine, loads, most);
    }

    public NodeOptions withModelRoots(List<Path> folders) {
        return new NodeOptions(listening, name, folders, engine, loads, limits);
    }
}
