package org.espalier.node.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.Generation;
import org.espalier.cluster.GenerationListener;
import org.espalier.cluster.LoadListener;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.Prompt;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Precision;
import org.espalier.engine.library.Recording;
import org.espalier.hub.PullProgress;
import org.espalier.model.Model;
import org.espalier.node.service.LocalCluster;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "run",
        description = "Loads a model on one or several nodes of this machine, generates, and ends.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        sortOptions = false)
final class RunCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "DIR_OR_GGUF",
            description =
                    "Directory, .gguf file or name of a model; ORG/NAME is fetched from the hub if it is not here.")
    private String model;

    @ArgGroup(multiplicity = "1")
    private PromptChoice prompt;

    @Mixin
    private AnswerChoice answer;

    @Option(
            names = "--nodes",
            paramLabel = "N",
            description = "Run on N node processes on loopback; without it in this process.")
    private Integer nodes;

    @Mixin
    private ConnectChoice connect;

    @Option(
            names = "--placement",
            paramLabel = "NAME|FILE.json",
            defaultValue = "pipeline",
            description = "A strategy's name, or a placement written as JSON.")
    private String placement;

    @Option(
            names = "--engine",
            paramLabel = "E",
            defaultValue = "",
            description = "Engine; without it the node's best.",
            showDefaultValue = Visibility.NEVER)
    private String engine;

    @Option(
            names = "--precision",
            paramLabel = "float32|fast",
            defaultValue = "fast",
            description = "Arithmetic of the run.")
    private Precision precision;

    @Mixin
    private ProcessorChoice processor;

    @Option(names = "--logits", description = "With --json: the logits of the last prompt position.")
    private boolean logits;

    @Option(names = "--routing", description = "With --json: chosen experts and their weights.")
    private boolean routing;

    @Option(
            names = "--record",
            paramLabel = "DIR",
            description = "Keep what the engine is told and answers in DIR, for espalier-check.")
    private Path record;

    @Option(names = "--with-weights", description = "With --record: the weights that are read too.")
    private boolean withWeights;

    @Option(names = "--json", description = "Print one JSON object in place of the text.")
    private boolean json;

    @Override
    public Integer call() {
        GenerateOptions options = checked();
        try (Cluster cluster = cluster()) {
            try {
                generate(cluster, options);
            } catch (RuntimeException e) {
                leave(cluster, e);
                throw e;
            }
            leave(cluster);
        }
        return 0;
    }

    /** Nodes that were there before outlive this command. */
    private void leave(Cluster cluster) {
        if (connect.isGiven()) {
            cluster.unload();
        }
    }

    /** The same, after something else has failed already. */
    private void leave(Cluster cluster, RuntimeException failure) {
        try {
            leave(cluster);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
            spec.commandLine().getErr().println("the model stays loaded on the nodes: " + e.getMessage());
        }
    }

    private Cluster cluster() {
        if (record != null) {
            return LocalCluster.recorded(
                    new Recording(record, withWeights ? Recording.Weights.COPIED : Recording.Weights.IN_PLACE));
        }
        if (connect.isGiven()) {
            return connect.cluster();
        }
        return nodes == null ? LocalCluster.embedded(processor.loads()) : LocalCluster.start(nodes);
    }

    /** What can be wrong with the options is said before anything starts. */
    private GenerateOptions checked() {
        if ((logits || routing) && !json) {
            throw new ParameterException(
                    spec.commandLine(), "--logits and --routing are part of the JSON object: add --json");
        }
        if (withWeights && record == null) {
            throw new ParameterException(spec.commandLine(), "--with-weights is for a recording: add --record");
        }
        if (nodes != null && record != null) {
            throw new ParameterException(
                    spec.commandLine(), "--record keeps what one engine in this process does: leave --nodes out");
        }
        if (nodes != null && !processor.loads().equals(EngineOptions.FLOAT32)) {
            throw new ParameterException(
                    spec.commandLine(), "--threads and --lock-memory are for a run in this process: leave out --nodes");
        }
        if (nodes != null && nodes < 1) {
            throw new ParameterException(
                    spec.commandLine(), "--nodes is " + nodes + ": choose 1 or more, or leave it out");
        }
        if (connect.isGiven()
                && (nodes != null || record != null || !processor.loads().equals(EngineOptions.FLOAT32))) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--connect runs on nodes that are there: leave out --nodes, --record, --threads and --lock-memory");
        }
        try {
            GenerateOptions options = answer.options();
            options = logits ? options.withPromptLogits() : options;
            return routing ? options.withRouting() : options;
        } catch (EspalierException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private void generate(Cluster cluster, GenerateOptions options) {
        LoadOptions load = LoadOptions.defaults()
                .withPlacement(placement)
                .withEngine(engine)
                .withPrecision(precision.name().toLowerCase(Locale.ROOT))
                .withListener(fetching(spec.commandLine().getErr()));
        Output out = new Output(spec);
        Prompt question = prompt.prompt();
        Deployment deployment = cluster.load(model, load);
        boolean hasText = cluster.model().flatMap(Model::tokenizer).isPresent();
        if (json) {
            Generation generation = cluster.generate(question, options);
            out.println(RunReport.json(deployment, generation, options, hasText));
        } else {
            Generation generation = cluster.generate(
                    question, options, printing(out, spec.commandLine().getErr()));
            out.println(hasText ? "" : ids(generation.tokens()));
            spec.commandLine().getErr().println(summary(generation));
        }
    }

    private static LoadListener fetching(PrintWriter err) {
        PullLines lines = new PullLines(err);
        return new LoadListener() {
            @Override
            public void onFetch(PullProgress progress) {
                lines.onProgress(progress);
            }

            @Override
            public void onProgress(String node, long done, long total) {}
        };
    }

    /** What it throws when the reader is gone cancels the generation. */
    private static GenerationListener printing(Output out, PrintWriter err) {
        return new GenerationListener() {
            private int said;

            @Override
            public void onWaiting(int place) {
                if (place != said) {
                    err.println("waiting, as number " + place + " in the queue");
                    said = place;
                }
            }

            @Override
            public void onText(String piece) {
                out.print(piece);
            }
        };
    }

    /** For a model without a tokenizer. */
    private static String ids(List<Integer> tokens) {
        return tokens.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    private static String summary(Generation generation) {
        return String.format(
                Locale.ROOT,
                "%d prompt tokens, %d new ones (%s), the first after %.2f s, then %.1f tokens/s",
                generation.promptTokens().size(),
                generation.tokens().size(),
                generation.finish().name().toLowerCase(Locale.ROOT),
                generation.timing().firstTokenSeconds(),
                generation.timing().decodeTokensPerSecond());
    }
}
