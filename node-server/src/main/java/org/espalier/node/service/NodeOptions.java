package org.espalier.node.service;

import java.nio.file.Path;
import java.util.List;
import org.espalier.engine.EngineOptions;

/**
 * How a node serves.
 *
 * @param host a loopback address
 * @param port 0 for any free one
 * @param name unique in a cluster
 * @param modelRoots folders that models may be in; empty for wherever its user may read
 * @param engine used when a load names none; empty for the best
 * @param loads how programs are loaded; a load says the precision itself
 */
public record NodeOptions(
        String host, int port, String name, List<Path> modelRoots, String engine, EngineOptions loads) {

    public NodeOptions {
        modelRoots = List.copyOf(modelRoots);
    }

    /** Any free port of 127.0.0.1, models wherever the user may read. */
    public static NodeOptions loopback(String name) {
        return new NodeOptions("127.0.0.1", 0, name, List.of(), "", EngineOptions.FLOAT32);
    }

    public NodeOptions withLoads(EngineOptions options) {
        return new NodeOptions(host, port, name, modelRoots, engine, options);
    }

    public NodeOptions withPort(int number) {
        return new NodeOptions(host, number, name, modelRoots, engine, loads);
    }

    public NodeOptions withHost(String address) {
        return new NodeOptions(address, port, name, modelRoots, engine, loads);
    }

    public NodeOptions withModelRoots(List<Path> folders) {
        return new NodeOptions(host, port, name, folders, engine, loads);
    }
}
