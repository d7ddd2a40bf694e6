package org.espalier.node.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.node.shard.Engines;
import picocli.CommandLine;

/** Runs what most commands do once with small models, so that the JVM archives the classes that they load: {@code espalier-node --archive}. */
final class Rehearsal {

    private Rehearsal() {}

    /** @param models paths or names, one for each kind of file, first the one to measure; exits with the code of the first command that fails */
    public static void main(String[] models) {
        EspalierNode.prepare();
        Engines.prepare();
        Stream<List<String>> commands = Stream.concat(
                Arrays.stream(models).flatMap(Rehearsal::commands),
                Stream.of(
                        List.of("--help"),
                        List.of("bench", "--model", models[0], "-p", "1", "-n", "1", "-r", "1", "--json")));
        System.exit(commands.mapToInt(Rehearsal::exitCode)
                .filter(exit -> exit != CommandLine.ExitCode.OK)
                .findFirst()
                .orElse(CommandLine.ExitCode.OK));
    }

    private static Stream<List<String>> commands(String model) {
        return Stream.of(
                List.of("inspect", model), List.of("run", "--model", model, "--prompt", "Hello", "--predict", "4"));
    }

    private static int exitCode(List<String> command) {
        String[] arguments = command.toArray(String[]::new);
        return EspalierNode.commandLine(arguments)
                .setOut(new PrintWriter(Writer.nullWriter()))
                .execute(arguments);
    }
}
