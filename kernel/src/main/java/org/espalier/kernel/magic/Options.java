package org.espalier.kernel.magic;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.espalier.EspalierException;
import org.espalier.model.NearestName;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

/** A magic's options, read by the library that also reads the node's command line. */
final class Options {

    private Options() {}

    /**
     * Fills the annotated fields of {@code command} from a magic's line.
     *
     * @throws EspalierException if the line does not fit: a sentence that says what was meant, or where to read on
     */
    static <T> T parse(T command, List<String> words) {
        CommandLine line = line(command);
        try {
            CommandLine.ParseResult parsed = line.parseArgs(words.toArray(String[]::new));
            parsed.matchedArgs().forEach(argument -> checkChoice(argument, line.getCommandSpec()));
            return command;
        } catch (CommandLine.UnmatchedArgumentException e) {
            String word = e.getUnmatched().get(0);
            throw new EspalierException(
                    e.isUnknownOption()
                            ? unknown(word, line.getCommandSpec(), "")
                            : line.getCommandName() + " takes no '" + word + "'" + help(line.getCommandSpec()),
                    e);
        } catch (CommandLine.ParameterException e) {
            throw new EspalierException(e.getMessage() + help(line.getCommandSpec()), e);
        }
    }

    /** What is wrong with an option that {@code command} does not have; {@code remark} ends its first line. */
    static String unknown(String option, CommandSpec command, String remark) {
        String name = option.split("=", 2)[0];
        boolean tooShort = name.length() < 3;
        String meant = tooShort
                ? ""
                : NearestName.of(name, command.optionsMap().keySet())
                        .map(nearest -> ": did you mean " + nearest + "?")
                        .orElse("");
        return command.name() + " has no option " + name + meant + remark + help(command);
    }

    /** What is wrong with a sub-command that a magic does not have. */
    static EspalierException unknownCommand(Magic magic, String word) {
        List<String> known = magic.commands().stream()
                .map(command -> spec(command).name())
                .filter(name -> name.contains(" "))
                .map(name -> name.substring(name.indexOf(' ') + 1))
                .toList();
        String meant = NearestName.of(word, known)
                .map(nearest -> ": did you mean " + nearest + "?")
                .orElse(": there are " + String.join(", ", known) + ".");
        return new EspalierException(
                "%" + magic.name() + " has no '" + word + "'" + meant + " `%help " + magic.name() + "` tells more");
    }

    /** A label such as {@code float32|fast} lists all values that there are. */
    static List<String> choices(ArgSpec argument) {
        return argument.paramLabel().matches("[a-z0-9_-]+(\\|[a-z0-9_-]+)+")
                ? List.of(argument.paramLabel().split("\\|"))
                : List.of();
    }

    private static void checkChoice(ArgSpec argument, CommandSpec command) {
        List<String> choices = choices(argument);
        for (String value : argument.originalStringValues()) {
            if (!choices.isEmpty() && !choices.contains(value)) {
                String name = argument.isOption()
                        ? ((CommandLine.Model.OptionSpec) argument).longestName()
                        : argument.paramLabel();
                String meant = NearestName.of(value, choices)
                        .map(nearest -> ": did you mean " + nearest + "?")
                        .orElse("");
                throw new EspalierException(command.name() + " " + name + " takes " + String.join(" or ", choices)
                        + ", not '" + value + "'" + meant + help(command));
            }
        }
    }

    private static String help(CommandSpec command) {
        return "\n`%help " + command.name().replaceFirst("^%+", "").split(" ")[0] + "` lists what it takes";
    }

    static CommandSpec spec(Object command) {
        return line(command).getCommandSpec();
    }

    private static CommandLine line(Object command) {
        return new CommandLine(command).setExpandAtFiles(false); // @ is a character like any other
    }

    static String usage(Object... commands) {
        return Arrays.stream(commands)
                .map(command -> line(command).setUsageHelpAutoWidth(false).getUsageMessage(CommandLine.Help.Ansi.OFF))
                .collect(Collectors.joining());
    }
}
