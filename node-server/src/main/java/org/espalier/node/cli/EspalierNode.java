package org.espalier.node.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;
import org.espalier.node.shard.Engines;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code espalier-node}: runs one command and exits; 0 success, 1 it failed, 2 it was not understood. */
@Command(
        name = "espalier-node",
        description = "Serves a part of a large model, runs models, and looks into their files.",
        mixinStandardHelpOptions = true,
        versionProvider = EspalierNode.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", "espalier-node COMMAND --help tells more."})
public final class EspalierNode implements Runnable {

    /** In the order of the help. */
    private static final Map<String, Class<?>> COMMANDS = commands();

    /** Those that need an engine. */
    private static final Set<String> RUNNING = Set.of("serve", "run", "score", "bench");

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Option(
            names = "--debug",
            scope = CommandLine.ScopeType.INHERIT,
            description = "Print the stack trace of a failure.")
    private boolean debug;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(),
                "name a command: serve, run, inspect, score, bench, pull, quantize, init or doctor");
    }

    private static Map<String, Class<?>> commands() {
        Map<String, Class<?>> commands = new LinkedHashMap<>();
        commands.put("serve", ServeCommand.class);
        commands.put("run", RunCommand.class);
        commands.put("inspect", InspectCommand.class);
        commands.put("score", ScoreCommand.class);
        commands.put("bench", BenchCommand.class);
        commands.put("pull", PullCommand.class);
        commands.put("quantize", QuantizeCommand.class);
        commands.put("init", InitCommand.class);
        commands.put("doctor", DoctorCommand.class);
        return commands;
    }

    public static void main(String[] arguments) {
        prepare();
        if (arguments.length > 0 && RUNNING.contains(arguments[0])) {
            new DaemonThreads("engine-library").newThread(Engines::prepare).start();
        }
        if (arguments.length > 0 && arguments[0].equals("bench")) {
            OpenedAhead.begin(List.of(arguments));
        }
        System.exit(commandLine(arguments).setOut(Output.standard()).execute(arguments));
    }

    /** What concerns the whole process. */
    static void prepare() {
        NodeLogs.toStandardError();
        // Our library is named by its path: JNA need not run ldconfig to learn where others are.
        System.setProperty("jna.platform.library.path", "");
    }

    /**
     * Ready to execute these arguments; failures become one sentence on the error writer. The command that they begin with is the only one that
     * picocli reflects on, which takes it long; without one all are there, to be listed and suggested.
     */
    static CommandLine commandLine(String... arguments) {
        CommandLine commandLine = new CommandLine(new EspalierNode());
        String named = arguments.length == 0 ? "" : arguments[0];
        COMMANDS.forEach((name, type) -> {
            if (name.equals(named) || !COMMANDS.containsKey(named)) {
                commandLine.addSubcommand(name, type);
            }
        });
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setParameterExceptionHandler((first, given) -> {
            CommandLine failed = first.getCommandLine();
            CommandLine.ParameterException error = unknownOption(first, given).orElse(first);
            PrintWriter out = failed.getErr();
            out.println("espalier-node: " + error.getMessage().replaceFirst("^Error: ", ""));
            CommandLine.UnmatchedArgumentException.printSuggestions(error, out);
            out.println("Try '" + failed.getCommandSpec().qualifiedName() + " --help'.");
            return CommandLine.ExitCode.USAGE;
        });
        commandLine.setExecutionStrategy(parsed -> {
            try {
                return new CommandLine.RunLast().execute(parsed);
            } catch (OutOfMemoryError | LinkageError e) { // of what is thrown picocli hands on exceptions alone
                if (ProcessLimits.sentence(e).isEmpty()) {
                    throw e;
                }
                EspalierException known = new EspalierException(String.valueOf(e.getMessage()), e);
                throw new CommandLine.ExecutionException(parsed.commandSpec().commandLine(), known.what(), known);
            }
        });
        commandLine.setExecutionExceptionHandler((error, failed, parsed) -> {
            EspalierNode root = (EspalierNode) failed.getCommandSpec().root().userObject();
            if (root.debug) {
                error.printStackTrace(failed.getErr());
            }
            failed.getErr().println("espalier-node: " + sentence(error));
            return CommandLine.ExitCode.SOFTWARE;
        });
        return commandLine;
    }

    /** Where an option that must be given is missing, the one that is not known is most likely that option, misspelt. */
    private static Optional<CommandLine.ParameterException> unknownOption(
            CommandLine.ParameterException error, String... given) {
        Set<String> known = error.getCommandLine().getCommandSpec().optionsMap().keySet();
        return error instanceof CommandLine.MissingParameterException
                ? Arrays.stream(given)
                        .filter(argument -> argument.startsWith("--") && !known.contains(argument.split("=", 2)[0]))
                        .findFirst()
                        .map(unknown ->
                                new CommandLine.UnmatchedArgumentException(error.getCommandLine(), List.of(unknown)))
                : Optional.empty();
    }

    private static String sentence(Exception error) {
        return ProcessLimits.sentence(error)
                .orElseGet(() -> error instanceof EspalierException known
                        ? RemedyOptions.sentence(known)
                        : error + " (this is a defect: run again with --debug and report it)");
    }

    /** From the jar's manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = EspalierNode.class.getPackage().getImplementationVersion();
            return new String[] {"espalier-node " + Optional.ofNullable(version).orElse("(not from a jar)")};
        }
    }
}
