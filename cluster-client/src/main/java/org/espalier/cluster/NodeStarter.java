package org.espalier.cluster;

import java.util.List;
import java.util.function.BooleanSupplier;
import org.espalier.transport.Credentials;

/** Starts nodes on this machine that belong to one cluster alone. */
public interface NodeStarter {

    /**
     * Nodes that have been started.
     *
     * @param addresses host:port each
     * @param credentials what they ask of their client
     * @param ended whether one of them has ended by itself
     * @param whenDone ends them
     */
    record Started(List<String> addresses, Credentials credentials, BooleanSupplier ended, AutoCloseable whenDone) {}

    /** The node that is there when no other is named: inside this JVM, unless its engine could end it. */
    Started embedded();

    /**
     * Node processes.
     *
     * @throws org.espalier.EspalierException if one does not start; then no process is left
     */
    Started processes(int count);
}
