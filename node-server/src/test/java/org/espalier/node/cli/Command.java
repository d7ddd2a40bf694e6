package org.espalier.node.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Path;
import picocli.CommandLine;

/** A command that was run to its end in this process. */
record Command(int exit, String out, String err) {

    static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models");

    static Command run(String... arguments) {
        return runUntil(Integer.MAX_VALUE, arguments);
    }

    /** @param characters that whoever reads the output takes before they go */
    static Command runUntil(int characters, String... arguments) {
        StringWriter out = new StringWriter();
        Writer reader = new Writer() {
            @Override
            public void write(char[] text, int offset, int length) throws IOException {
                out.write(text, offset, length);
                if (out.getBuffer().length() > characters) {
                    throw new IOException("Broken pipe");
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        StringWriter err = new StringWriter();
        CommandLine commandLine = EspalierNode.commandLine(arguments)
                .setOut(new PrintWriter(reader))
                .setErr(new PrintWriter(err));
        int exit = commandLine.execute(arguments);
        return new Command(exit, out.toString(), err.toString());
    }
}
