package org.espalier.node.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.espalier.model.Inspection;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
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

    @Parameters(paramLabel = "MODEL", description = "Directory, .gguf file or name of a model.")
    private String model;

    @Option(names = "--json", description = "Print one JSON object in place of the table.")
    private boolean json;

    @Override
    public Integer call() {
        try (Model opened =
                ModelCatalogue.of(List.of(Path.of("notebooks", "models"))).open(model)) {
            Inspection inspection = Inspection.of(opened);
            spec.commandLine().getOut().println(json ? inspection.toJson() : inspection);
        }
        return 0;
    }
}
