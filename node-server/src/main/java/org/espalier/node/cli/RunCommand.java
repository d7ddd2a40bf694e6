package org.espalier.node.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.Generation;
import org.espalier.cluster.GenerationListener;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.Prompt;
import org.espalier.node.service.EmbeddedNode;
import org.espalier.node.service.LocalNodes;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
            description = "Directory, .gguf file or name of a model.")
    private String model;

    @ArgGroup(multiplicity = "1")
    private PromptChoice prompt;

    @Option(names = "--predict", paramLabel = "N", defaultValue = "128", description = "New tokens at most.")
    private int predict;

    @Option(
            names = "--nodes",
            paramLabel = "N",
            defaultValue = "0",
            showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER,
            description = "Run on N node processes on loopback; without it in this process.")
    private int nodes;

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
            showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER)
    private String engine;

    @Option(
            names = "--precision",
            paramLabel = "float32|fast",
            defaultValue = "fast",
            description = "Arithmetic of the run.")
    private String precision;

    @Option(names = "--temperature", paramLabel = "T", defaultValue = "0", description = "0 is greedy.")
    private double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "0",
            description = "Sample from the K likeliest; 0: all.")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Sample from the likeliest that make up P.")
    private double topP;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "R",
            defaultValue = "1",
            description = "Above 1: less repetition.")
    private double repetitionPenalty;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Of the random choice.")
    private long seed;

    @Option(names = "--stop", paramLabel = "TEXT", description = "Text that ends the answer; may be given again.")
    private List<String> stop = List.of();

    @Option(names = "--ignore-eos", description = "Go on past the end-of-sequence token.")
    private boolean ignoreEos;

    @Option(names = "--logits", description = "With --json: the logits of the last prompt position.")
    private boolean logits;

    @Option(names = "--routing", description = "With --json: chosen experts and their weights.")
    private boolean routing;

    @Option(names = "--json", description = "Print one JSON object in place of the text.")
    private boolean json;

    /** One of the three ways to give a prompt. */
    static final class PromptChoice {
        @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "Plain text to go on from.")
        private String text;

        @Option(
                names = "--chat",
                required = true,
                paramLabel = "TEXT",
                description = "A question, put in the model's chat template.")
        private String chat;

        @Option(names = "--tokens", required = true, paramLabel = "1,2,3", description = "Token ids as they are.")
        private String tokens;

        Prompt prompt() {
            if (text != null) {
                return Prompt.text(text);
            }
            return chat != null ? Prompt.chat(chat) : Prompt.tokens(ids(tokens));
        }

        private static List<Integer> ids(String list) {
            try {
                return Arrays.stream(list.split(","))
                        .map(id -> Integer.valueOf(id.strip()))
                        .toList();
            } catch (NumberFormatException e) {
                throw new EspalierException("--tokens takes ids such as 1,2,3, found '" + list + "'");
            }
        }
    }

    @Override
    public Integer call() throws Exception {
        if (nodes < 0) {
            throw new EspalierException("--nodes " + nodes + " cannot be: choose 1 or more, or leave it out");
        }
        if (nodes == 0) {
            try (EmbeddedNode node = EmbeddedNode.start()) {
                return generate(List.of(node.address()));
            }
        }
        try (LocalNodes processes = LocalNodes.start(nodes)) {
            return generate(processes.addresses());
        }
    }

    private int generate(List<String> addresses) {
        PrintWriter out = spec.commandLine().getOut();
        try (Cluster cluster = Cluster.connect(addresses)) {
            Deployment deployment = cluster.load(
                    model,
                    LoadOptions.defaults()
                            .withPlacement(placement)
                            .withEngine(engine)
                            .withPrecision(precision));
            Generation generation =
                    cluster.generate(prompt.prompt(), options(), json ? GenerationListener.SILENT : printing(out));
            if (json) {
                out.println(RunReport.json(deployment, generation, logits, routing));
            } else {
                out.println();
            }
            out.flush();
        }
        return 0;
    }

    private GenerateOptions options() {
        GenerateOptions options = GenerateOptions.defaults()
                .withMaxTokens(predict)
                .withTemperature(temperature)
                .withTopK(topK)
                .withTopP(topP)
                .withRepetitionPenalty(repetitionPenalty)
                .withSeed(seed)
                .withStop(stop);
        options = ignoreEos ? options.ignoringEos() : options;
        options = logits ? options.withPromptLogits() : options;
        return routing ? options.withRouting() : options;
    }

    private static GenerationListener printing(PrintWriter out) {
        return new GenerationListener() {
            @Override
            public void onText(String piece) {
                out.print(piece);
                out.flush();
            }
        };
    }
}
