package org.espalier.engine;

import java.util.EnumSet;
import java.util.Set;

/**
 * How a program is loaded.
 *
 * @param group the nodes that share its layers
 * @param kvType how values of KV caches are kept
 * @param kvBytes the most bytes of KV caches of all sessions together; 0 for no limit but memory
 * @param threads of the processor; 0 for one a core
 */
public record EngineOptions(
        Precision precision, Group group, KvType kvType, long kvBytes, int threads, Set<Preparation> preparations) {

    /** {@code float32} alone on one node, with nothing prepared. */
    public static final EngineOptions FLOAT32 =
            new EngineOptions(Precision.FLOAT32, Group.ALONE, KvType.F32, 0, 0, Set.of());

    public EngineOptions {
        if (kvBytes < 0 || threads < 0) {
            throw new IllegalArgumentException(
                    "a KV limit of " + kvBytes + " bytes and " + threads + " threads: expected 0 or more of both");
        }
        preparations = preparations.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(preparations));
    }

    /** What happens at load so that the first step is as fast as the others. */
    public enum Preparation {
        /** Weights are locked in memory. */
        LOCK_MEMORY,
        /** Every page is touched, and one step is run. */
        WARM_UP,
        /** The time of each op is kept, for {@link LoadedProgram#profile}, where the engine can. */
        PROFILE
    }

    /** How a value of a KV cache is kept. */
    public enum KvType {
        F32,
        F16,
        /** 8 bits and a scale for each group of values. */
        Q8
    }

    /**
     * The nodes that share layers, each with a slice of them.
     *
     * @param rank of this node, from 0
     * @param size 1 where layers are not shared
     */
    public record Group(int rank, int size) {

        public static final Group ALONE = new Group(0, 1);

        public Group {
            if (rank < 0 || rank >= size) {
                throw new IllegalArgumentException("there is no rank " + rank + " in a group of " + size);
            }
        }
    }

    public EngineOptions with(Precision newPrecision) {
        return new EngineOptions(newPrecision, group, kvType, kvBytes, threads, preparations);
    }

    public EngineOptions with(Group newGroup) {
        return new EngineOptions(precision, newGroup, kvType, kvBytes, threads, preparations);
    }

    /** With one more preparation. */
    public EngineOptions with(Preparation preparation) {
        Set<Preparation> more = EnumSet.of(preparation);
        more.addAll(preparations);
        return new EngineOptions(precision, group, kvType, kvBytes, threads, more);
    }

    public EngineOptions withKv(KvType type, long bytes) {
        return new EngineOptions(precision, group, type, bytes, threads, preparations);
    }
}
