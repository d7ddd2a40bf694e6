package org.espalier.node.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import picocli.CommandLine;

/** Runs what most commands do once with a small model, so that the JVM archives the classes that they load: {@code espalier-node --archive}. */
final class Rehearsal {

    private Rehearsal() {}

    /** @param arguments path or name of the model; exits with the code of the first command that fails */
    public static void main(String[] arguments) {
        String model = arguments[0];
        EspalierNode.prepare();
        List<List<String>> commands = List.of(
                List.of("--help"),
                List.of("inspect", model),
                List.of("run", "--model", model, "--prompt", "Hello", "--predict", "4"),
                List.of("bench", "--model", model, "-p", "1", "-n", "1", "-r", "1", "--json"));
        System.exit(commands.stream()
                .mapToInt(Rehearsal::exitCode)
                .filter(exit -> exit != CommandLine.ExitCode.OK)
                .findFirst()
                .orElse(CommandLine.ExitCode.OK));
    }

    private static int exitCode(List<String> command) {
        String[] arguments = command.toArray(String[]::new);
        return EspalierNode.commandLine(arguments)
                .setOut(new PrintWriter(Writer.nullWriter()))
                .execute(arguments);
    }
}
