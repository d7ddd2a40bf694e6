package org.espalier.kernel.magic;

import java.util.List;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Generation;
import org.espalier.kernel.display.ExpertHeatmap;
import org.espalier.routing.ExpertLoad;
import org.espalier.routing.RoutingTrace;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code %experts}: which experts the last generation chose. */
final class ExpertsMagic implements Magic {

    private final NotebookCluster notebook;

    ExpertsMagic(NotebookCluster notebook) {
        this.notebook = notebook;
    }

    @Override
    public String name() {
        return "experts";
    }

    @Override
    public String summary() {
        return "draws which experts the last generation chose, layer by layer";
    }

    @Override
    public List<Object> commands() {
        return List.of(new Experts());
    }

    @Command(name = "%experts", description = "Draws the layer x expert heatmap of the last generation.")
    private static final class Experts {
        @Option(names = "--from", paramLabel = "T", description = "First position; 0 by default.")
        private int from;

        @Option(names = "--to", paramLabel = "T", description = "Position to stop before; the end by default.")
        private int to = -1;
    }

    @Override
    public void run(MagicCall call) {
        Experts command = Options.parse(new Experts(), call.words());
        RoutingTrace trace = trace(notebook.withModel());
        int to = command.to < 0 ? trace.positions() : command.to;
        if (command.from < 0 || command.from >= to || to > trace.positions()) {
            throw new EspalierException("there are positions 0 to " + (trace.positions() - 1) + ", asked for "
                    + command.from + " to " + (to - 1) + ": choose --from and --to within them");
        }
        call.java().define("trace", RoutingTrace.class, trace);
        call.output().display(new ExpertHeatmap(ExpertLoad.of(trace, command.from, to)).display());
    }

    private static RoutingTrace trace(Cluster cluster) {
        String model = cluster.deployment().orElseThrow().model();
        if (!cluster.hasExperts()) {
            throw new EspalierException(model + " has no experts: it is a dense model. `%model load demo` loads a small"
                    + " mixture of experts");
        }
        Generation generation = cluster.lastGeneration()
                .orElseThrow(
                        () -> new EspalierException("there is no routing to show: nothing has been generated since "
                                + model + " was loaded, or the last generation did not finish. Run `%generate` first"));
        return generation
                .trace()
                .orElseThrow(() -> new EspalierException("the last generation, of " + generation.prompt()
                        + ", kept no routing: `%generate` does, in Java `GenerateOptions.defaults().withRouting()`"));
    }
}
