package org.espalier.node.service;

import java.util.List;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.library.Recording;
import org.espalier.node.shard.Engines;
import org.espalier.transport.Listening;
import org.espalier.transport.Secret;

/** One node inside this JVM, on loopback. */
public final class EmbeddedNode implements AutoCloseable {

    static final String NAME = "embedded";

    private final NodeServer server;

    private EmbeddedNode(NodeServer server) {
        this.server = server;
    }

    /** Starts a node named {@code embedded} on any free port; it may read any model that its user may. */
    public static EmbeddedNode start() {
        return start(EngineOptions.FLOAT32);
    }

    /** @param loads how programs are loaded; each load says the precision itself */
    static EmbeddedNode start(EngineOptions loads) {
        return new EmbeddedNode(NodeServer.start(options().withLoads(loads)));
    }

    /** The same, whose engine is recorded. */
    static EmbeddedNode recorded(Recording recording) {
        ModelShards shards =
                new ModelShards(List.of(), Engines.recorded(recording), EngineOptions.FLOAT32, Machine::freeBytes);
        return new EmbeddedNode(NodeServer.start(options(), shards));
    }

    /** Nobody but this process may use it. */
    private static NodeOptions options() {
        return NodeOptions.loopback(NAME).with(Listening.loopback().with(Secret.ofThisProcess()));
    }

    /** host:port; it asks for {@link Secret#ofThisProcess}. */
    public String address() {
        return server.address();
    }

    @Override
    public void close() {
        server.close();
    }
}
