package org.espalier.kernel.magic;

import java.util.List;
import org.espalier.EspalierException;
import picocli.CommandLine;

/** A magic's options, read by the library that also reads the node's command line. */
final class Options {

    private Options() {}

    /**
     * Fills the annotated fields of {@code command} from a magic's line.
     *
     * @throws EspalierException if the line does not fit, with the usage
     */
    static <T> T parse(T command, List<String> words) {
        CommandLine line = new CommandLine(command);
        try {
            line.parseArgs(words.toArray(String[]::new));
            return command;
        } catch (CommandLine.ParameterException e) {
            throw new EspalierException(e.getMessage() + "\n" + usage(command).strip(), e);
        }
    }

    static String usage(Object command) {
        return new CommandLine(command).setUsageHelpAutoWidth(false).getUsageMessage(CommandLine.Help.Ansi.OFF);
    }
}
