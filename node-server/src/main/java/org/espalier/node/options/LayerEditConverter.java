package org.espalier.node.options;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.espalier.EspalierException;
import org.espalier.routing.LayerEdit;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a {@link LayerEdit} as an option has it: {@code 5:ban=19,36}, or {@code 5:force=3:top-k=2:scale=0.5}. */
public final class LayerEditConverter implements ITypeConverter<LayerEdit> {

    /** What an option that takes edits may show for its value. */
    public static final String LABEL = "LAYER:EDIT";

    public static final String SYNTAX =
            "LAYER:ban=E,E... with the layer's number and those of experts; also force=E,E..., top-k=N and"
                    + " scale=X, joined by colons";

    @Override
    public LayerEdit convert(String text) {
        String[] parts = text.split(":", -1);
        if (parts.length < 2) {
            throw wrong(text, "it says nothing to do");
        }
        LayerEdit edit = LayerEdit.of(whole(text, parts[0], "layer"));
        Set<String> seen = new HashSet<>();
        for (String part : Arrays.asList(parts).subList(1, parts.length)) {
            int equals = part.indexOf('=');
            String name = equals < 0 ? part : part.substring(0, equals);
            if (equals < 0) {
                throw wrong(text, "'" + part + "' has no value");
            }
            if (!seen.add(name)) {
                throw wrong(text, "it has " + name + " twice");
            }
            edit = with(edit, text, name, part.substring(equals + 1));
        }
        return edit;
    }

    private static LayerEdit with(LayerEdit edit, String text, String name, String value) {
        try {
            return switch (name) {
                case "ban" -> edit.banning(experts(text, value));
                case "force" -> edit.forcing(experts(text, value));
                case "top-k" -> edit.keeping(positive(text, value));
                case "scale" -> edit.scaledBy(Double.parseDouble(value));
                default -> throw wrong(text, "there is no '" + name + "'");
            };
        } catch (NumberFormatException e) {
            throw wrong(text, "'" + value + "' is not a number");
        } catch (EspalierException e) {
            throw wrong(text, e.getMessage());
        }
    }

    private static Integer[] experts(String text, String value) {
        return Arrays.stream(value.split(",", -1))
                .map(expert -> whole(text, expert, "expert"))
                .toArray(Integer[]::new);
    }

    private static int positive(String text, String value) {
        int count = whole(text, value, "number of experts");
        if (count == 0) {
            throw wrong(text, "a token needs at least 1 expert");
        }
        return count;
    }

    private static int whole(String text, String value, String what) {
        if (!value.matches("[0-9]{1,9}")) {
            throw wrong(text, "'" + value + "' is no " + what);
        }
        return Integer.parseInt(value);
    }

    private static TypeConversionException wrong(String text, String why) {
        return new TypeConversionException("'" + text + "': " + why + "; expected " + SYNTAX);
    }
}
