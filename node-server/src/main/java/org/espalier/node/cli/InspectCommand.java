package org.espalier.node.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.plan.Inspection;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "inspect",
        description =
                "Shows what a model's files hold and what a token reads of them: layers, formats, experts, ignored keys.",
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
        PrintWriter out = spec.commandLine().getOut();
        try (Model opened = ModelCatalogue.ofThisMachine().open(model)) {
            Inspection inspection = Inspection.of(opened);
            out.println(json ? inspection.toJson() : inspection);
            out.flush();
        }
        return 0;
    }
}
