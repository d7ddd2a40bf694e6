package org.espalier.cluster;

/** Hears how loading goes on; called from the loading threads of several nodes, one call at a time. */
@FunctionalInterface
public interface LoadListener {

    LoadListener SILENT = (node, done, total) -> {};

    /** A node has {@code done} of its {@code total} bytes ready. */
    void onProgress(String node, long done, long total);
}
