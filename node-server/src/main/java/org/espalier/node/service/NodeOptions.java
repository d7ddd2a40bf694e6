package org.espalier.node.service;

import java.nio.file.Path;
import java.util.List;

/**
 * How a node serves.
 *
 * @param host a loopback address
 * @param port 0 for any free one
 * @param name unique in a cluster
 * @param modelRoots folders that models may be in; empty for wherever its user may read
 * @param engine used when a load names none; empty for the best
 */
public record NodeOptions(String host, int port, String name, List<Path> modelRoots, String engine) {

    public NodeOptions {
        modelRoots = List.copyOf(modelRoots);
    }

    /** Any free port of 127.0.0.1, models wherever the user may read. */
    public static NodeOptions loopback(String name) {
        return new NodeOptions("127.0.0.1", 0, name, List.of(), "");
    }

    public NodeOptions withPort(int number) {
        return new NodeOptions(host, number, name, modelRoots, engine);
    }

    public NodeOptions withHost(String address) {
        return new NodeOptions(address, port, name, modelRoots, engine);
    }

    public NodeOptions withModelRoots(List<Path> folders) {
        return new NodeOptions(host, port, name, folders, engine);
    }
}
