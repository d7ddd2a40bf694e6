package org.espalier.node.cli;

import java.util.List;
import org.espalier.cluster.GenerateOptions;
import org.espalier.node.options.SamplingChoice;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of an answer: how long, how chosen, what ends it. */
final class AnswerChoice {

    @Option(names = "--predict", paramLabel = "N", defaultValue = "128", description = "The most new tokens.")
    private int predict;

    @Mixin
    private SamplingChoice sampling;

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description = "A text that ends the answer; may be given more than once.",
            showDefaultValue = Visibility.NEVER)
    private List<String> stop = List.of();

    @Option(names = "--ignore-eos", description = "Continue past the end-of-sequence token.")
    private boolean ignoreEos;

    /** @throws org.espalier.EspalierException naming an option that is out of range */
    GenerateOptions options() {
        GenerateOptions options = GenerateOptions.defaults()
                .withMaxTokens(predict)
                .withSampling(sampling.sampling())
                .withStop(stop);
        return ignoreEos ? options.ignoringEos() : options;
    }
}
