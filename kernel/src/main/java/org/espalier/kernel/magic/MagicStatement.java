package org.espalier.kernel.magic;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.espalier.EspalierException;
import org.espalier.kernel.jshell.CodeFailure;
import org.espalier.kernel.jshell.JavaSession;

/**
 * What a magic inside Java becomes: {@code MagicStatement.run("%generate -n {n} Hi", "n", n);}, in the same line, with the variables that
 * its line names, so that the compiler finds them wherever they are. Public because a cell's code is code like any other.
 */
public final class MagicStatement {

    /** Runs a magic in the cell that runs, or that ran last. */
    @FunctionalInterface
    public interface Runner {
        void run(Magic magic, String arguments, UnaryOperator<String> variables)
                throws CodeFailure, InterruptedException;
    }

    private record Notebook(Magics magics, Runner runner) {}

    /** A process has one notebook, so this is static. */
    private static volatile Notebook notebook;

    private MagicStatement() {}

    /** From now on magics inside Java run so. */
    public static void runWith(Magics magics, Runner runner) {
        notebook = new Notebook(magics, runner);
    }

    /**
     * Runs a line.
     *
     * @param variables names and values in turn
     * @throws EspalierException with one clear sentence for what a user can fix
     */
    public static void run(String line, Object... variables) {
        Map<String, Optional<Object>> values = new TreeMap<>();
        for (int i = 0; i + 1 < variables.length; i += 2) {
            values.put((String) variables[i], Optional.ofNullable(variables[i + 1]));
        }
        MagicLine magic = MagicLine.all(line, name -> true).get(0);
        try {
            notebook.runner()
                    .run(
                            notebook.magics().named(magic.name()),
                            magic.arguments(),
                            name -> MagicCall.text(
                                    name,
                                    Optional.of(new JavaSession.Variable(
                                            name, "", values.get(name).orElse(null)))));
        } catch (EspalierException e) {
            throw new EspalierException(RemedyMagics.sentence(e), e);
        } catch (CodeFailure | InterruptedException e) {
            throw MagicStatement.<RuntimeException>unchecked(e); // the Java around it declares neither
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> T unchecked(Throwable thrown) throws T {
        throw (T) thrown;
    }

    /** The call as Java. */
    static String source(MagicLine line, Magics magics) {
        Magic magic = magics.named(line.name());
        if (magic.rest() == Magic.Rest.JAVA) {
            throw new EspalierException("%" + magic.name() + " in line " + line.number()
                    + " runs code of its own: it stands between statements of the cell, not inside a block");
        }
        String text = "%" + line.name() + (line.arguments().isEmpty() ? "" : " " + line.arguments());
        StringBuilder source = new StringBuilder(MagicStatement.class.getCanonicalName());
        source.append(".run(").append(literal(text));
        for (String name : names(magic, line.arguments())) {
            source.append(", \"").append(name).append("\", ").append(name);
        }
        return source.append(");").toString();
    }

    /** The variables that a magic's line names. */
    private static Set<String> names(Magic magic, String arguments) {
        if (magic.rest() == Magic.Rest.WORDS || magic.commands().isEmpty()) {
            return Placeholders.names(arguments);
        }
        Line line = Line.of(arguments, Options.spec(magic.commands().get(0)));
        String filled = String.join(" ", line.options());
        return Placeholders.names(line.options().contains("--fill") ? filled + " " + line.text() : filled);
    }

    private static String literal(String text) {
        StringBuilder literal = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            switch (c) {
                case '"', '\\' -> literal.append('\\').append(c);
                default -> literal.append(c < ' ' ? String.format("\\%03o", (int) c) : String.valueOf(c));
            }
        }
        return literal.append('"').toString();
    }
}
