package org.espalier.cluster;

import java.util.List;

/** Starts nodes on this machine that belong to one cluster alone. */
public interface NodeStarter {

    /**
     * Nodes that have been started.
     *
     * @param addresses host:port each
     * @param whenDone ends them
     */
    record Started(List<String> addresses, AutoCloseable whenDone) {}

    /** One node inside this JVM. */
    Started embedded();

    /**
     * Node processes.
     *
     * @throws org.espalier.EspalierException if one does not start; then no process is left
     */
    Started processes(int count);
}
