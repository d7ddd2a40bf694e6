package org.espalier.cluster;

import java.nio.file.Path;
import org.espalier.hub.PullProgress;

/** Hears how loading goes on; called from the loading threads of several nodes, one call at a time. */
@FunctionalInterface
public interface LoadListener {

    LoadListener SILENT = (node, done, total) -> {};

    /** The model is not on this machine: it comes from the hub before any node loads. From several threads, one call at a time. */
    default void onFetch(PullProgress progress) {}

    /** It has come: the folder, or the (first part of the) GGUF file. */
    default void onFetched(Path path) {}

    /** A node has {@code done} of its {@code total} bytes ready. */
    void onProgress(String node, long done, long total);
}
