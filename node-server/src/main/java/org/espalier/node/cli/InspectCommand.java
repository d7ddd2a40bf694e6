package org.espalier.node.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.concurrent.Callable;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.plan.Inspection;
import org.espalier.program.Program;
import org.espalier.slice.LayerRange;
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
        Output out = new Output(spec);
        try (Model opened = ModelCatalogue.ofThisMachine().open(model)) {
            Inspection inspection = Inspection.of(opened);
            Program program = opened.architecture()
                    .program(
                            opened.checkpoint(),
                            LayerRange.whole(opened.architecture().layers()));
            EngineReport engines = EngineReport.of(program);
            if (json) {
                ObjectNode all = inspection.toJson();
                all.set("engines", engines.toJson());
                out.println(all);
            } else {
                out.println(inspection);
                engines.describe().forEach(out::println);
            }
        }
        return 0;
    }
}
