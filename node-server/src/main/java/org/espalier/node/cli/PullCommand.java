package org.espalier.node.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.hub.HubReference;
import org.espalier.hub.HubSettings;
import org.espalier.hub.ModelPull;
import org.espalier.hub.PullListener;
import org.espalier.hub.ShardPull;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "pull",
        description = {
            "Fetches a model from a Hugging Face-compatible hub into its usual cache, and prints where it lies.",
            "Reads HF_TOKEN, HF_ENDPOINT, HF_HOME and HF_HUB_CACHE. Run it again to resume."
        },
        mixinStandardHelpOptions = true)
final class PullCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "ORG/NAME",
            description = "Also ORG/NAME@REVISION, or ORG/NAME:Q4_K_M for one of several GGUF files.")
    private String model;

    @Option(
            names = "--layers",
            paramLabel = "FIRST-LAST",
            description = "Only these layers, counted from 0, for a node that runs no others; into --models.")
    private String layers;

    @Option(
            names = "--models",
            paramLabel = "DIR",
            description = "With --layers: the folder of models; without it ~/.espalier/models.")
    private Path models = Path.of(System.getProperty("user.home"), ".espalier", "models");

    @Override
    public Integer call() {
        HubReference reference = HubReference.parse(model);
        HubSettings settings = HubSettings.ofEnvironment();
        PullListener lines = new PullLines(spec.commandLine().getErr());
        Path path = layers == null
                ? ModelPull.pull(reference, settings, lines)
                : ShardPull.pull(reference, range(), settings, models, lines);
        new Output(spec).println(path);
        return 0;
    }

    private ShardPull.Layers range() {
        Matcher range = Pattern.compile("(\\d{1,6})-(\\d{1,6})").matcher(layers);
        if (!range.matches()) {
            throw new ParameterException(
                    spec.commandLine(), "--layers is '" + layers + "', expected two numbers like 0-14");
        }
        return new ShardPull.Layers(Integer.parseInt(range.group(1)), Integer.parseInt(range.group(2)) + 1);
    }
}
