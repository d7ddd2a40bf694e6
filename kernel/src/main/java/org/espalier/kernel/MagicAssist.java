package org.espalier.kernel;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.espalier.EspalierException;
import org.espalier.kernel.jshell.CodeAssist;
import org.espalier.kernel.jshell.CodeAssist.Completion;
import org.espalier.kernel.magic.CellPart;
import org.espalier.kernel.magic.Magic;
import org.espalier.kernel.magic.MagicCompletion;
import org.espalier.kernel.magic.MagicLine;
import org.espalier.kernel.magic.Magics;
import org.espalier.kernel.magic.NotebookCluster;

/** Help while a cell is typed: for its magics from here, for its Java from who is given, who sees blanks in the place of magics. */
final class MagicAssist {

    /** A magic whose name is still to come. */
    private static final Pattern SIGN = Pattern.compile("[ \\t]*%%?");

    private final Magics magics;
    private final MagicCompletion completion;

    MagicAssist(Magics magics, NotebookCluster cluster) {
        this.magics = magics;
        this.completion = new MagicCompletion(cluster, magics);
    }

    /** @param java completes Java, at the same cursor */
    Completion complete(String code, int cursor, Function<String, Completion> java) {
        String cell = unwrapped(code, cursor);
        String head = cell.substring(0, cursor);
        int start = head.lastIndexOf('\n') + 1;
        boolean unnamed = SIGN.matcher(head.substring(start)).matches();
        List<MagicLine> lines = MagicLine.all(unnamed ? head + "x" : head, name -> true);
        MagicLine last = lines.isEmpty() ? null : lines.get(lines.size() - 1);
        if (last == null || last.start() != start && !last.isCellMagic()) {
            return java.apply(onlyJava(cell));
        }
        if (last.start() != start) { // in the body of a cell magic
            return new Completion(cursor, List.of());
        }
        if (unnamed || !last.sign().equals("!") && last.nameEnd(head) == cursor) {
            return names(head, start);
        }
        if (last.sign().equals("!")) {
            Completion files = shifted(MagicCompletion.files(last.arguments()), last);
            return files.matches().isEmpty() ? java.apply(cell) : files; // it may be Java that compiles
        }
        return magics.find(last.name())
                .map(magic -> shifted(completion.of(magic, last.arguments()), last))
                .orElse(new Completion(cursor, List.of()));
    }

    private Completion names(String head, int start) {
        int sign = head.indexOf('%', start);
        String percent = head.startsWith("%%", sign) ? "%%" : "%";
        String typed = head.substring(sign);
        return new Completion(
                sign,
                magics.all().stream()
                        .map(magic -> percent + magic.name())
                        .filter(name -> name.startsWith(typed))
                        .toList());
    }

    private static Completion shifted(Completion inArguments, MagicLine line) {
        int arguments = line.end() - line.arguments().length();
        return new Completion(arguments + inArguments.start(), inArguments.matches());
    }

    /**
     * The usage of the magic under the cursor.
     *
     * @param java documents Java, at the same cursor
     */
    List<String> document(String code, int cursor, Function<String, List<String>> java) {
        String cell = unwrapped(code, cursor);
        return MagicLine.all(cell, magics::isKnown).stream()
                .filter(line -> line.start() <= cursor && cursor <= line.end())
                .flatMap(line -> magics.find(line.name()).stream())
                .findFirst()
                .map(magic -> List.of(magic.usage()))
                .orElseGet(() -> java.apply(onlyJava(cell)));
    }

    /** The cell without the names of magics that run the Java in which the cursor is. */
    private String unwrapped(String code, int cursor) {
        String cell = code;
        for (Optional<MagicLine> line = running(cell, cursor); line.isPresent(); line = running(cell, cursor)) {
            cell = blanked(cell, line.get().start(), line.get().nameEnd(cell));
        }
        return cell;
    }

    private Optional<MagicLine> running(String cell, int cursor) {
        return MagicLine.all(cell, magics::isKnown).stream()
                .filter(line -> cursor > line.nameEnd(cell) && (line.isCellMagic() || cursor <= line.end()))
                .filter(line -> magics.find(line.name())
                        .filter(magic -> magic.rest() == Magic.Rest.JAVA)
                        .isPresent())
                .findFirst();
    }

    /** Everything at its place. */
    private String onlyJava(String cell) {
        String java = cell;
        for (MagicLine line : MagicLine.all(cell, magics::isKnown)) {
            java = blanked(java, line.start(), line.isCellMagic() ? cell.length() : line.end());
        }
        return java;
    }

    private static String blanked(String text, int from, int to) {
        return text.substring(0, from) + text.substring(from, to).replaceAll("[^\n]", " ") + text.substring(to);
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
}
