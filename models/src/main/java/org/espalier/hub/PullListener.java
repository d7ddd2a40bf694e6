package org.espalier.hub;

/** Hears how fetching goes on; called from several threads, one call at a time. */
public interface PullListener {

    PullListener SILENT = progress -> {};

    void onProgress(PullProgress progress);
}
