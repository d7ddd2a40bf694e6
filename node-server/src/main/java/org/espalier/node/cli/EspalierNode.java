package org.espalier.node.cli;

import java.io.PrintWriter;
import java.util.Optional;
import org.espalier.EspalierException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code espalier-node}: runs one command and exits; 0 success, 1 it failed, 2 it was not understood. */
@Command(
        name = "espalier-node",
        description = "Serves a part of a large model, runs models, and looks into their files.",
        subcommands = {
            ServeCommand.class,
            RunCommand.class,
            InspectCommand.class,
            ScoreCommand.class,
            BenchCommand.class,
            PullCommand.class,
            QuantizeCommand.class
        },
        mixinStandardHelpOptions = true,
        versionProvider = EspalierNode.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", "espalier-node COMMAND --help tells more."})
public final class EspalierNode implements Runnable {

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
                spec.commandLine(), "name a command: serve, run, inspect, score, bench, pull or quantize");
    }

    public static void main(String[] arguments) {
        NodeLogs.toStandardError();
        System.exit(commandLine().setOut(Output.standard()).execute(arguments));
    }

    /** The commands, ready to execute; failures become one sentence on the error writer. */
    static CommandLine commandLine() {
        CommandLine commandLine = new CommandLine(new EspalierNode());
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setParameterExceptionHandler((error, arguments) -> {
            CommandLine failed = error.getCommandLine();
            PrintWriter out = failed.getErr();
            out.println("espalier-node: " + error.getMessage().replaceFirst("^Error: ", ""));
            CommandLine.UnmatchedArgumentException.printSuggestions(error, out);
            out.println("Try '" + failed.getCommandSpec().qualifiedName() + " --help'.");
            return CommandLine.ExitCode.USAGE;
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

    private static String sentence(Exception error) {
        return error instanceof EspalierException known
                ? RemedyOptions.sentence(known)
                : error + " (this is a defect: run again with --debug and report it)";
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
