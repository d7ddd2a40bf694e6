package org.espalier.kernel.magic;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.espalier.EspalierException;
import org.espalier.kernel.display.Output;
import org.espalier.kernel.jshell.CodeFailure;
import org.espalier.kernel.jshell.JavaSession;

/**
 * One use of a magic.
 *
 * @param arguments the rest of its line, as it is written
 * @param body the lines below it, for a cell magic
 * @param output of the cell
 * @param java the notebook's Java, to define variables in
 * @param variables the text of a variable's value, by name
 * @param cells runs code of a magic's own
 */
public record MagicCall(
        String arguments,
        Optional<String> body,
        Output output,
        JavaSession java,
        UnaryOperator<String> variables,
        Cells cells) {

    /** Runs code as a cell, in the cell that runs. */
    @FunctionalInterface
    public interface Cells {

        /** A magic that stands inside Java can run none. */
        Cells NONE = (code, name) -> {
            throw new EspalierException(
                    "a magic that runs code of its own stands between statements of the cell, not inside a block");
        };

        /**
         * The code's value becomes the cell's, if nothing comes after it.
         *
         * @param file where the code is from; empty for the cell itself
         */
        void run(String code, Optional<Path> file) throws CodeFailure, InterruptedException;
    }

    /** A call that sees the notebook's variables. */
    public MagicCall(String arguments, Optional<String> body, Output output, JavaSession java) {
        this(arguments, body, output, java, name -> text(name, java.variable(name)), Cells.NONE);
    }

    /** The value of a variable, which there may not be, as text. */
    public static String text(String name, Optional<JavaSession.Variable> variable) {
        Object value = variable.orElseThrow(() -> new EspalierException("there is no variable " + name + " for {" + name
                        + "}: {{" + name + "} stands for {" + name + "} itself"))
                .value();
        if (value == null) {
            throw new EspalierException("the variable " + name + " of {" + name + "} is null");
        }
        try {
            return String.valueOf(value.toString());
        } catch (RuntimeException | StackOverflowError e) { // code of the user's own
            throw new EspalierException(
                    "the variable " + name + " of {" + name + "} has no text: its toString() failed: " + e, e);
        }
    }

    /** The arguments as words, values in the place of {@code {name}}. */
    public List<String> words() {
        return Words.of(arguments).stream().map(this::filled).toList();
    }

    /**
     * Fills {@code command}, whose last parameter is the text after its options, byte for byte; an option {@code --fill} of it puts values
     * into the text, too.
     */
    <T> T withText(T command) {
        Line line = Line.of(arguments, Options.spec(command));
        List<String> options = line.options().stream().map(this::filled).toList();
        boolean fill = options.contains("--fill");
        return Options.parse(command, new Line(options, fill ? filled(line.text()) : line.text()).words());
    }

    /** {@code text} with values in the place of {@code {name}}. */
    String filled(String text) {
        return filled(text, variables);
    }

    /** {@code text} with values in the place of {@code {name}}. */
    public static String filled(String text, UnaryOperator<String> variables) {
        return Placeholders.fill(text, variables);
    }
}
