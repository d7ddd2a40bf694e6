package org.espalier.node.cli;

import java.io.PrintWriter;
import java.nio.charset.Charset;
import org.espalier.EspalierException;
import picocli.CommandLine.Model.CommandSpec;

/** What a command was asked for, printed to whoever reads it: a {@link PrintWriter} alone would swallow that the disk is full or the reader is gone. */
final class Output {

    private final PrintWriter out;

    Output(CommandSpec spec) {
        out = spec.commandLine().getOut();
    }

    /** The process's standard output; unlike picocli's own writer it learns what {@link System#out} could not write. */
    static PrintWriter standard() {
        String encoding = System.getProperty("sun.stdout.encoding");
        Charset charset = encoding == null ? Charset.defaultCharset() : Charset.forName(encoding);
        return new PrintWriter(System.out, true, charset);
    }

    /** @throws EspalierException if the text, or any before it, was not written */
    void print(String text) {
        out.print(text);
        if (out.checkError()) { // flushes
            throw new EspalierException(
                    "cannot write the output: whoever read it is gone, or the disk is full; run the command again");
        }
    }

    /** @throws EspalierException if the line, or any text before it, was not written */
    void println(Object line) {
        print(line + System.lineSeparator());
    }
}
