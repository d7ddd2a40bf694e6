package org.espalier.hub;

/** Is told of the progress; called from several threads, one call at a time. */
public interface PullListener {

    PullListener SILENT = progress -> {};

    void onProgress(PullProgress progress);
}
