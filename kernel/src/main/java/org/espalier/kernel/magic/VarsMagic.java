package org.espalier.kernel.magic;

import java.util.List;
import org.espalier.kernel.display.Grid;
import org.espalier.kernel.jshell.CodeFailure;
import org.espalier.kernel.jshell.JavaSession;
import picocli.CommandLine.Command;

/** {@code %vars}: the notebook's variables. */
final class VarsMagic implements Magic {

    @Override
    public String name() {
        return "vars";
    }

    @Override
    public String summary() {
        return "lists the variables of the notebook";
    }

    @Override
    public List<Object> commands() {
        return List.of(new Listing());
    }

    @Command(
            name = "%vars",
            description = "Lists the variables of the notebook: name, type, and the beginning of the value.")
    private static final class Listing {}

    @Override
    public void run(MagicCall call) throws CodeFailure, InterruptedException {
        Options.parse(new Listing(), call.words());
        List<JavaSession.Variable> variables = call.java().variables();
        List<List<String>> rows = call.java()
                .runStoppable(() -> variables.stream() // a toString() is code of the notebook
                        .map(variable -> List.of(variable.name(), variable.type(), ShortText.of(variable.value())))
                        .toList());
        if (rows.isEmpty()) {
            call.output().print("no variables yet\n");
        } else {
            call.output().display(new Grid(List.of("variable", "type", "value"), rows).display());
        }
    }
}
