package org.espalier.cluster;

import java.nio.file.Path;
import org.espalier.hub.PullProgress;

/** Follows the progress of loading; called from the loading threads of several nodes, one call at a time. */
@FunctionalInterface
public interface LoadListener {

    LoadListener SILENT = (node, done, total) -> {};

    /** The model is not on this machine and is being fetched from the hub, before any node loads. Called from several threads, one call at a time. */
    default void onFetch(PullProgress progress) {}

    /** It has been fetched, to this folder or (first part of a) GGUF file. */
    default void onFetched(Path path) {}

    /** A node has {@code done} of its {@code total} bytes ready. */
    void onProgress(String node, long done, long total);

    /** For a second or more no bytes came on a node, which waits for {@code what}: {@code the weights of qwen3}. Called each second. */
    default void onWaiting(String node, String what) {}
}
