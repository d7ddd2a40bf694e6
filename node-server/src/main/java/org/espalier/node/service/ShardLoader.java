package org.espalier.node.service;

import java.util.List;
import org.espalier.node.ring.StageShard;

/** Loads parts of models; the node's only way to models and engines. */
public interface ShardLoader extends AutoCloseable {

    /** The engines that {@link Order#engine} may name, the best first. */
    List<String> engines();

    /**
     * Makes layers of a model ready to run.
     *
     * @throws RuntimeException whose message is one clear sentence; nothing stays loaded then
     */
    StageShard load(Order order, Progress progress);

    @Override
    void close();

    /**
     * What to load.
     *
     * @param node this node's name, for messages
     * @param model path or name
     * @param layers L of the whole model, as the placement says
     * @param endLayer exclusive
     * @param engine empty: the best
     * @param precision {@code float32} or {@code fast}
     */
    record Order(
            String node, String model, int layers, int firstLayer, int endLayer, String engine, String precision) {}

    /** Hears how far loading is, in bytes. Throws once the client has gone away: the loader then frees what it has and passes it on. */
    @FunctionalInterface
    interface Progress {
        void report(long done, long total);
    }
}
