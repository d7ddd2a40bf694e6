package org.espalier.node.cli;

import java.util.List;
import org.espalier.cluster.GenerateOptions;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** The options of an answer: how long, how chosen, what ends it. */
final class AnswerChoice {

    @Option(names = "--predict", paramLabel = "N", defaultValue = "128", description = "New tokens at most.")
    private int predict;

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

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description = "Text that ends the answer; may be given again.",
            showDefaultValue = Visibility.NEVER)
    private List<String> stop = List.of();

    @Option(names = "--ignore-eos", description = "Go on past the end-of-sequence token.")
    private boolean ignoreEos;

    /** @throws org.espalier.EspalierException naming an option that is out of range */
    GenerateOptions options() {
        GenerateOptions options = GenerateOptions.defaults()
                .withMaxTokens(predict)
                .withTemperature(temperature)
                .withTopK(topK)
                .withTopP(topP)
                .withRepetitionPenalty(repetitionPenalty)
                .withSeed(seed)
                .withStop(stop);
        return ignoreEos ? options.ignoringEos() : options;
    }
}
