package org.espalier.kernel;

import com.google.gson.JsonParseException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.dflib.jjava.jupyter.kernel.KernelConnectionProperties;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;
import org.espalier.kernel.jshell.JavaSession;
import org.espalier.kernel.jshell.StandardStreams;
import org.espalier.kernel.jupyter.Connection;
import org.espalier.kernel.jupyter.Dispatcher;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The kernel's program: Jupyter starts it with a connection file; {@code --install} makes it known to Jupyter. */
@Command(
        name = "espalier-kernel",
        description = "A Jupyter kernel for Java that drives a cluster.",
        mixinStandardHelpOptions = true)
public final class EspalierKernel implements Callable<Integer> {

    /** No exit code: Jupyter ends the process. */
    private static final int RUNNING = -1;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "CONNECTION_FILE", description = "Written by Jupyter.")
    private Path connectionFile;

    @Option(names = "--install", description = "Make the kernel known to Jupyter: for this user, or below --prefix.")
    private boolean install;

    @Option(
            names = {"--prefix", "--sys-prefix"},
            paramLabel = "DIR",
            description = "With --install: the environment to install into, for instance a .venv.")
    private Path prefix;

    @Option(names = "--user", description = "With --install: for this user; the default.")
    private boolean user;

    @Option(
            names = "--no-archive",
            description =
                    "With --install: do not spend some seconds on a class archive, with which the kernel starts faster.")
    private boolean noArchive;

    public static void main(String[] arguments) {
        int code = arguments.length == 1 && !arguments[0].startsWith("-") ? served(arguments[0]) : run(arguments);
        if (code >= 0) {
            System.exit(code);
        }
    }

    /** What Jupyter asks for, without the parser of options: that takes a seventh of the start. */
    private static int served(String connectionFile) {
        try {
            serve(Path.of(connectionFile));
            return RUNNING;
        } catch (Exception e) {
            return failed(e);
        }
    }

    private static int run(String[] arguments) {
        return new CommandLine(new EspalierKernel())
                .setParameterExceptionHandler((error, words) -> {
                    System.err.println("espalier-kernel: " + error.getMessage() + " (--help tells more)");
                    return CommandLine.ExitCode.USAGE;
                })
                .setExecutionExceptionHandler((error, line, parsed) -> failed(error))
                .execute(arguments);
    }

    private static int failed(Exception error) {
        System.err.println(
                "espalier-kernel: " + (error instanceof EspalierException ? error.getMessage() : error.toString()));
        return CommandLine.ExitCode.SOFTWARE;
    }

    @Override
    public Integer call() throws IOException, GeneralSecurityException, InterruptedException {
        if (install) {
            Path data = prefix == null
                    ? userData()
                    : prefix.toAbsolutePath().normalize().resolve("share/jupyter");
            install(KernelSpec.below(data.resolve("kernels")));
            return 0;
        }
        if (connectionFile == null) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "give Jupyter's connection file, or --install");
        }
        serve(connectionFile);
        return RUNNING;
    }

    private void install(KernelSpec kernel) throws InterruptedException {
        kernel.write();
        System.out.println("installed the kernel 'espalier' in " + kernel.folder());
        if (!noArchive) {
            try {
                kernel.archive();
            } catch (EspalierException e) {
                System.err.println("it will start slower, as there is no class archive: " + e.getMessage());
            }
        }
    }

    private static Path userData() {
        Path home = Path.of(System.getProperty("user.home"));
        return System.getProperty("os.name").startsWith("Mac")
                ? home.resolve("Library/Jupyter")
                : home.resolve(".local/share/jupyter");
    }

    private static KernelConnectionProperties properties(Path file) {
        try {
            KernelConnectionProperties properties = KernelConnectionProperties.parse(Files.readString(file));
            if (properties != null && properties.getTransport() != null) {
                if (!properties.getTransport().equals("tcp")) {
                    throw new EspalierException(
                            file + " asks for the transport " + properties.getTransport() + ": this kernel has tcp");
                }
                return properties;
            }
        } catch (IOException e) {
            throw new EspalierException(
                    "cannot read the connection file " + file + ": " + EspalierException.reason(e, file), e);
        } catch (JsonParseException e) {
            throw new EspalierException(file + " is not a connection file: it is not a JSON object", e);
        }
        throw new EspalierException(file + " is not a connection file: it has no transport");
    }

    private static void serve(Path connectionFile) throws IOException, GeneralSecurityException {
        CompletableFuture<JavaSession> java = JavaSession.start(); // first: it takes longest
        KernelConnectionProperties properties = properties(connectionFile);
        // Before AWT loads: a kernel has no screen, and the window of a remote one would open where nobody looks.
        System.getProperties().putIfAbsent("java.awt.headless", "true");
        KernelLog.install();
        PrintStream terminal = System.err;
        CellStreams streams = new CellStreams();
        CellInput input = new CellInput();
        Notebook notebook = new Notebook(java, streams, input);
        Dispatcher dispatcher =
                new Dispatcher(notebook, () -> Runtime.getRuntime().halt(0));
        Connection connection = new Connection(properties, dispatcher.shell(), dispatcher.control());
        Runtime.getRuntime().addShutdownHook(new DaemonThreads("espalier-shutdown").newThread(notebook::shutdown));
        ParentWatch.start(terminal);
        System.setIn(input);
        streams.install(notebook::readable);
        StandardStreams.keep();
        dispatcher.start(connection);
        KernelSpec.logUnusedArchive(); // last: nobody waits for it
    }
}
