package org.espalier.hub;

import java.nio.file.Path;

/** Is told of the progress; called from several threads, one call at a time. */
@FunctionalInterface
public interface PullListener {

    PullListener SILENT = progress -> {};

    void onProgress(PullProgress progress);

    /** Everything is here: the folder, or the (first part of the) GGUF file. */
    default void onFetched(Path path) {}
}
