package org.espalier.kernel;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.EspalierException;
import org.espalier.kernel.jshell.CodeAssist;
import org.espalier.kernel.magic.CellPart;
import org.espalier.kernel.magic.Magic;
import org.espalier.kernel.magic.Magics;

/** Help while a magic is typed; empty answers where the code is Java. */
final class MagicAssist {

    private static final Pattern NAME = Pattern.compile("^(%%?)([\\w-]*)$");
    private static final Pattern OPTION = Pattern.compile("^%%?([\\w-]+)\\s.*?(--?[\\w-]*)$");
    private static final Pattern USED = Pattern.compile("--[\\w-]+");

    private final Magics magics;

    MagicAssist(Magics magics) {
        this.magics = magics;
    }

    Optional<CodeAssist.Completion> complete(String code, int cursor) {
        int lineStart = code.lastIndexOf('\n', Math.max(0, cursor - 1)) + 1;
        String line = code.substring(Math.min(lineStart, cursor), cursor);
        Matcher name = NAME.matcher(line);
        if (name.matches()) {
            List<String> matches = magics.all().stream()
                    .map(Magic::name)
                    .filter(known -> known.startsWith(name.group(2)))
                    .map(known -> name.group(1) + known)
                    .toList();
            return Optional.of(new CodeAssist.Completion(lineStart, matches));
        }
        Matcher option = OPTION.matcher(line);
        if (option.matches()) {
            List<String> matches = magic(option.group(1)).stream()
                    .flatMap(magic -> USED.matcher(magic.usage()).results().map(found -> found.group()))
                    .distinct()
                    .filter(known -> known.startsWith(option.group(2)))
                    .toList();
            return Optional.of(
                    new CodeAssist.Completion(cursor - option.group(2).length(), matches));
        }
        return line.startsWith("%") ? Optional.of(new CodeAssist.Completion(cursor, List.of())) : Optional.empty();
    }

    /** The usage of the magic under the cursor. */
    Optional<String> document(String code, int cursor) {
        int lineStart = code.lastIndexOf('\n', Math.max(0, cursor - 1)) + 1;
        Matcher call = Pattern.compile("^%%?([\\w-]+).*")
                .matcher(code.substring(lineStart).lines().findFirst().orElse(""));
        return call.matches() ? magic(call.group(1)).map(Magic::usage) : Optional.empty();
    }

    /**
     * Whether a cell can be run as it is: a cell magic when its body ends in an empty line, anything else when its Java is whole.
     *
     * @param java answers for Java alone
     */
    CodeAssist.Whole whole(String cell, Function<String, CodeAssist.Whole> java) {
        CodeAssist.Whole last = CodeAssist.Whole.COMPLETE;
        for (CellPart part : parts(cell)) {
            if (part instanceof CellPart.Call call) {
                boolean open = call.body()
                        .filter(body -> !body.endsWith("\n") || body.isBlank())
                        .isPresent();
                last = open ? CodeAssist.Whole.INCOMPLETE : CodeAssist.Whole.COMPLETE;
            } else {
                last = java.apply(
                        part instanceof CellPart.Java text
                                ? text.code()
                                : ((CellPart.Shell) part).below().code());
            }
            if (last == CodeAssist.Whole.INVALID) {
                break;
            }
        }
        return last;
    }

    /** A cell that cannot be taken apart is run, to be told why. */
    private List<CellPart> parts(String cell) {
        try {
            return CellPart.of(cell, magics);
        } catch (EspalierException e) {
            return List.of();
        }
    }

    private Optional<Magic> magic(String name) {
        try {
            return Optional.of(magics.named(name));
        } catch (EspalierException unknown) {
            return Optional.empty();
        }
    }
}
