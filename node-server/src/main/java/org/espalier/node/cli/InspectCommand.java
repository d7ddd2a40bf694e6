package org.espalier.node.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.espalier.model.Model;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "inspect",
        description = "Tells what a model's files hold: architecture, layers and their bytes, experts, ignored keys.",
        mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "DIR_OR_GGUF", description = "Directory or .gguf file of a model.")
    private String model;

    @Option(names = "--json", description = "Print one JSON object in place of the table.")
    private boolean json;

    @Override
    public Integer call() {
        try (Model opened = Model.open(Path.of(model))) {
            spec.commandLine().getOut().println(opened.config());
        }
        return 0;
    }
}
