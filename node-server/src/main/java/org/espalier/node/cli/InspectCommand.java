package org.espalier.node.cli;

<<<<<<< HEAD
import java.nio.file.Path;
=======
>>>>>>> c9b3030 (The kernel: Jupyter wire, JShell, magics)
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

<<<<<<< HEAD
    @Parameters(paramLabel = "MODEL", description = "Directory, .gguf file or name of a model.")
=======
    @Parameters(paramLabel = "DIR_OR_GGUF", description = "Directory, .gguf file or name of a model.")
>>>>>>> c9b3030 (The kernel: Jupyter wire, JShell, magics)
    private String model;

    @Option(names = "--json", description = "Print one JSON object in place of the table.")
    private boolean json;

    @Override
    public Integer call() {
<<<<<<< HEAD
        try (Model opened =
                ModelCatalogue.of(List.of(Path.of("notebooks", "models"))).open(model)) {
            Inspection inspection = Inspection.of(opened);
            spec.commandLine().getOut().println(json ? inspection.toJson() : inspection);
=======
        try (Model opened = ModelCatalogue.of(List.of()).open(model)) {
            Inspection inspection = Inspection.of(opened);
            spec.commandLine().getOut().println(json ? inspection.toJson() : String.join("\n", inspection.describe()));
>>>>>>> c9b3030 (The kernel: Jupyter wire, JShell, magics)
        }
        return 0;
    }
}
