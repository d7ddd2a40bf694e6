package org.espalier.kernel.magic;

import java.nio.file.Path;
import java.util.Optional;
import org.espalier.cluster.LoadListener;
import org.espalier.hub.PullProgress;
import org.espalier.kernel.display.Output;
import org.espalier.kernel.display.ProgressBar;

/** Shows how a model comes from the hub, where it does, and then onto its nodes. */
final class LoadBars implements LoadListener {

    private final String model;
    private final ProgressBar fetching;
    private final ProgressBar loading;
    private volatile Optional<Path> fetched = Optional.empty();

    LoadBars(Output output, String model) {
        this.model = model;
        this.fetching = new ProgressBar(output, "fetching " + model);
        this.loading = new ProgressBar(output, "loading " + model);
    }

    @Override
    public void onFetch(PullProgress progress) {
        fetching.report(progress.done(), progress.total(), progress.text());
    }

    @Override
    public void onFetched(Path path) {
        fetched = Optional.of(path);
        fetching.finish("fetched " + model + " to " + path);
    }

    @Override
    public void onProgress(String node, long done, long total) {
        loading.report(node, done, total);
    }

    @Override
    public void onWaiting(String node, String what) {
        loading.waiting(node + " waits for " + what);
    }

    /** Puts a last line in the bar's place. */
    void finish(String line) {
        loading.finish(line);
    }

    /** Where it was fetched to; otherwise what it was called. */
    String fetchedOr(String name) {
        return fetched.map(Path::toString).orElse(name);
    }
}
