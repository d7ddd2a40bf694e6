package org.espalier.kernel.magic;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.espalier.EspalierException;
import org.espalier.kernel.jshell.CodeAssist.Completion;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** What may be written next in a magic's line. */
public final class MagicCompletion {

    private final Choices choices;

    public MagicCompletion(NotebookCluster notebook, Magics magics) {
        choices = new Choices(notebook, magics);
    }

    /**
     * @param arguments up to the cursor
     * @return its start counts from theirs
     */
    public Completion of(Magic magic, String arguments) {
        List<String> before = new ArrayList<>();
        String typed = "";
        int start = arguments.length();
        try {
            Optional<Words.Word> word = Words.next(arguments, 0);
            for (int at = 0; word.isPresent(); word = Words.next(arguments, at)) {
                int begins = Words.skipBlanks(arguments, at);
                at = word.get().end();
                if (at == arguments.length()) {
                    start = begins;
                    typed = word.get().text();
                } else {
                    before.add(word.get().text());
                }
            }
        } catch (EspalierException openQuote) {
            return new Completion(arguments.length(), List.of());
        }
        return quoted(start, next(magic, before, typed));
    }

    /** What files the last word of a command of the system may begin. */
    public static Completion files(String command) {
        int start = Math.max(command.lastIndexOf(' '), command.lastIndexOf('\t')) + 1;
        return quoted(start, Choices.files(command.substring(start), ""));
    }

    private static Completion quoted(int start, List<String> words) {
        return new Completion(
                start,
                words.stream()
                        .map(word -> word.replaceAll("[\\s\"'\\\\]", "\\\\$0"))
                        .toList());
    }

    private List<String> next(Magic magic, List<String> before, String typed) {
        List<CommandSpec> commands =
                magic.commands().stream().map(Options::spec).toList();
        List<String> verbs = commands.stream()
                .map(CommandSpec::name)
                .filter(name -> name.contains(" "))
                .map(name -> name.substring(name.indexOf(' ') + 1))
                .toList();
        if (verbs.isEmpty()) {
            return commands.isEmpty() ? List.of() : next(magic.rest(), commands.get(0), before, typed);
        }
        if (before.isEmpty()) {
            return beginning(typed, verbs);
        }
        int verb = verbs.indexOf(before.get(0));
        return verb < 0 ? List.of() : next(magic.rest(), commands.get(verb), before.subList(1, before.size()), typed);
    }

    private List<String> next(Magic.Rest rest, CommandSpec command, List<String> before, String typed) {
        Set<OptionSpec> used = new HashSet<>();
        OptionSpec waiting = null; // for its value
        int position = 0;
        for (String word : before) {
            OptionSpec option = option(word, command);
            if (waiting != null) {
                waiting = null;
            } else if (option != null) {
                used.add(option);
                waiting = option.arity().max() > 0 && !word.contains("=") ? option : null;
            } else if (!word.startsWith("-") || word.equals("--")) {
                position++;
            }
        }
        if (rest == Magic.Rest.TEXT && position > 0) {
            return List.of();
        }
        if (waiting != null) {
            return choices.of(waiting, typed);
        }
        OptionSpec given = typed.contains("=") ? option(typed, command) : null;
        if (given != null) {
            int value = typed.indexOf('=') + 1;
            return choices.of(given, typed.substring(value)).stream()
                    .map(typed.substring(0, value)::concat)
                    .toList();
        }
        List<String> matches = new ArrayList<>();
        for (PositionalParamSpec parameter : command.positionalParameters()) {
            if (parameter.index().contains(position)) {
                matches.addAll(choices.of(parameter, typed));
            }
        }
        List<String> options = command.options().stream()
                .filter(option -> !used.contains(option) || option.isMultiValue())
                .map(OptionSpec::longestName)
                .toList();
        matches.addAll(beginning(typed, options));
        return matches;
    }

    private static OptionSpec option(String word, CommandSpec command) {
        return command.optionsMap().get(word.split("=", 2)[0]);
    }

    private static List<String> beginning(String typed, List<String> names) {
        return names.stream().filter(name -> name.startsWith(typed)).toList();
    }
}
