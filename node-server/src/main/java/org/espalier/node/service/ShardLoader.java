package org.espalier.node.service;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import org.espalier.engine.Cancel;
import org.espalier.model.ModelIdentity;
import org.espalier.node.ring.StageShard;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.espalier.v1.EngineState;

/** Loads parts of models; the node's only access to models and engines. */
public interface ShardLoader extends AutoCloseable {

    /** The engines that {@link Order#engine} may name, the best first, also those that cannot be started. */
    List<EngineState> engines();

    /** Names of the models that {@link Order#model} may name, with the bytes of their files; may take as long as the files' share does. */
    default SortedMap<String, Long> models() {
        return Collections.emptySortedMap();
    }

    /**
     * Makes layers of a model ready to run.
     *
     * @param cancel checked between the phases of a load; if it is set during the last one, the shard may still be returned, and the
     *     caller has to free it
     * @throws org.espalier.engine.CancelledException if it was cancelled
     * @throws RuntimeException whose message is one clear sentence; then nothing stays loaded
     */
    StageShard load(Order order, Progress progress, Cancel cancel);

    /**
     * Whether a shard is still what loading it again would make: its files may have been replaced, or cut short under it.
     *
     * @param shard that this object has loaded; may take as long as the files' share takes to answer
     */
    default boolean isCurrent(StageShard shard) {
        return true;
    }

    @Override
    void close();

    /**
     * What to load.
     *
     * @param node this node's name, for messages
     * @param model found by each node in its own folders
     * @param member this node's slice, and those of the nodes that share its layers, as the placement says
     * @param engine its name; empty for the best
     * @param precision {@code float32} or {@code fast}
     */
    record Order(String node, ModelIdentity model, Member member, String engine, String precision) {

        /** The layers of the slice. */
        LayerRange layers() {
            return member.slice().layers();
        }
    }

    /** Told how far loading has come, in bytes; never throws. */
    @FunctionalInterface
    interface Progress {
        void report(long done, long total);

        /** What the load waits for from now on. */
        default void awaits(Awaited what) {}
    }

    /** What a load may wait for. */
    enum Source {
        /** The file system. */
        FILES,
        /** The engine, which other deployments use too. */
        ENGINE,
        /** Another load. */
        LOAD
    }

    /** @param words that name it, for people: {@code the weights of qwen3} */
    record Awaited(Source source, String words) {}
}
