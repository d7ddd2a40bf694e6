package org.espalier.node.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import picocli.CommandLine;

/** A command that was run to its end in this process. */
record Command(int exit, String out, String err) {

    static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models");

    static Command run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commandLine =
                EspalierNode.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int exit = commandLine.execute(arguments);
        return new Command(exit, out.toString(), err.toString());
    }
}
