package org.espalier.node.cli;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.node.shard.Engines;
import picocli.CommandLine;

/** Runs what most commands do once with small models, so that the JVM archives the classes that they load: {@code espalier-node --archive}. */
final class Rehearsal {

    private Rehearsal() {}

    /**
     * Exits with the code of the first command that fails.
     *
     * @param arguments {@code node}, or {@code files} for those commands that start no node; then paths or names of models, one for each kind of file,
     *     first the one to measure
     */
    public static void main(String[] arguments) {
        EspalierNode.prepare();
        Engines.prepare();
        boolean nodes = arguments[0].equals("node");
        List<String> models = List.of(arguments).subList(1, arguments.length);
        Stream<List<String>> commands = Stream.concat(
                models.stream().flatMap(model -> commands(model, nodes)),
                Stream.of(
                        List.of("--help"),
                        List.of("bench", "--model", models.get(0), "-p", "1", "-n", "1", "-r", "1", "--json")));
        System.exit(commands.mapToInt(Rehearsal::exitCode)
                .filter(exit -> exit != CommandLine.ExitCode.OK)
                .findFirst()
                .orElse(CommandLine.ExitCode.OK));
    }

    private static Stream<List<String>> commands(String model, boolean nodes) {
        return Stream.concat(
                Stream.of(List.of("inspect", model)),
                nodes
                        ? Stream.of(List.of("run", "--model", model, "--prompt", "Hello", "--predict", "4"))
                        : Stream.empty());
    }

    private static int exitCode(List<String> command) {
        String[] arguments = command.toArray(String[]::new);
        return EspalierNode.commandLine(arguments)
                .setOut(new PrintWriter(Writer.nullWriter()))
                .execute(arguments);
    }
}
