package org.espalier.node.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.espalier.hub.HubReference;
import org.espalier.hub.HubSettings;
import org.espalier.hub.ModelPull;
import org.espalier.hub.PullListener;
import org.espalier.hub.PullProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "pull",
        description = {
            "Fetches a model from a Hugging Face-compatible hub into its usual cache, and prints where it lies.",
            "Reads HF_TOKEN, HF_ENDPOINT, HF_HOME and HF_HUB_CACHE. Run it again to go on where it ended."
        },
        mixinStandardHelpOptions = true)
final class PullCommand implements Callable<Integer> {

    private static final long BETWEEN_LINES = 2_000_000_000L; // nanoseconds

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "ORG/NAME",
            description = "Also ORG/NAME@REVISION, or ORG/NAME:Q4_K_M for one of several GGUF files.")
    private String model;

    @Override
    public Integer call() {
        Path path = ModelPull.pull(
                HubReference.parse(model),
                HubSettings.ofEnvironment(),
                new Lines(spec.commandLine().getErr()));
        spec.commandLine().getOut().println(path);
        return 0;
    }

    /** A line now and then, and the last one. */
    private static final class Lines implements PullListener {
        private final PrintWriter out;
        private long next = System.nanoTime();

        Lines(PrintWriter out) {
            this.out = out;
        }

        @Override
        public void onProgress(PullProgress progress) {
            long now = System.nanoTime();
            if (now >= next || progress.done() == progress.total()) {
                next = now + BETWEEN_LINES;
                out.println(progress.text());
                out.flush();
            }
        }
    }
}
