package org.espalier.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileSystemException;
import java.util.concurrent.Callable;
import org.espalier.EspalierException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class ProcessLimitsTest {

    @CommandLine.Command(name = "failing")
    private record Failing(Throwable thrown) implements Callable<Integer> {

        @Override
        public Integer call() throws Exception {
            if (thrown instanceof Error error) {
                throw error;
            }
            throw (Exception) thrown;
        }
    }

    /** What a command says that throws this. */
    private static String said(Throwable thrown, String... options) {
        StringWriter err = new StringWriter();
        CommandLine line = EspalierNode.commandLine("failing")
                .addSubcommand(new Failing(thrown))
                .setErr(new PrintWriter(err));
        String[] arguments = new String[options.length + 1];
        System.arraycopy(options, 0, arguments, 0, options.length);
        arguments[options.length] = "failing";
        assertThat(line.execute(arguments)).isEqualTo(1);
        return err.toString();
    }

    @Test
    void memoryThatHasRunOutIsOneLineWithWhatHelps() {
        Error thrown = new OutOfMemoryError("Java heap space");
        assertThat(said(thrown))
                .startsWith("espalier-node: there is not enough memory (Java heap space): Java may take ")
                .endsWith(" MB here, give it more, as with JAVA_TOOL_OPTIONS=-Xmx16g" + System.lineSeparator())
                .hasLineCount(1);
        assertThat(said(thrown, "--debug")).contains("Caused by: java.lang.OutOfMemoryError");
        assertThat(said(new OutOfMemoryError("unable to create native thread")))
                .contains("no more threads can be started", "ulimit -u")
                .doesNotContain("Xmx")
                .hasLineCount(1);
    }

    /** As files and sockets say it, and libraries that use them. */
    @Test
    void tooManyOpenFilesAreALimitAndNoDefect() {
        Exception file = new FileSystemException("a", null, "Too many open files");
        Exception library = new IllegalStateException("failed to create a child event loop", new IOException(file));
        String limit = "; this process may have [0-9]+ open: raise the limit, as with `ulimit -n 4096`";
        assertThat(said(new EspalierException("cannot read a: Too many open files", file)))
                .matches("espalier-node: cannot read a: Too many open files" + limit + "\\R");
        String told =
                "node local-1 ended before it served: Too many open files; raise the limit, as with `ulimit -n 4096`";
        assertThat(said(new EspalierException(told))).isEqualToIgnoringNewLines("espalier-node: " + told);
        assertThat(said(library))
                .matches("espalier-node: a file or a connection cannot be opened: Too many open files" + limit + "\\R");
        assertThat(said(new UnsatisfiedLinkError("libnet.so: Too many open files")))
                .matches("espalier-node: libnet.so: Too many open files" + limit + "\\R");
    }

    @ParameterizedTest
    @ValueSource(strings = {"something else", ""})
    void whatElseFailsIsSaidAsBefore(String message) {
        assertThat(said(new IllegalStateException(message))).contains("this is a defect");
        assertThat(said(new EspalierException(message))).isEqualToIgnoringNewLines("espalier-node: " + message);
    }
}
