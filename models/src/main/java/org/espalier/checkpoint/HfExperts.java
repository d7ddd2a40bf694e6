package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.weights.Plain;
import org.espalier.weights.Weight;

/**
 * Gives experts the names that most checkpoints use, those of one expert and one projection each. Mixtral's and MiniMax's are {@code w1}, {@code
 * w3} and {@code w2}. Others keep those of a layer together, {@code gate_up_proj} and {@code down_proj} without {@code .weight}:
 *
 * <ul>
 *   <li>[E, 2 width, D], the rows of gate before those of up, and [E, D, width];
 *   <li>gpt-oss has gate in the even and up in the odd rows, in blocks of 4-bit floats;
 *   <li>as transformers writes gpt-oss in plain floats it is transposed, [E, D, 2 width] and [E, width, D];
 *   <li>{@code gate_up_proj_bias} [E, 2 width] and {@code down_proj_bias} [E, D] in both.
 * </ul>
 */
final class HfExperts {
    private static final Pattern MIXTRAL =
            Pattern.compile("(.+\\.block_sparse_moe\\.experts\\.\\d+\\.)(w[123])(\\..+)");
    private static final Map<String, String> PROJECTIONS =
            Map.of("w1", "gate_proj", "w3", "up_proj", "w2", "down_proj");
    private static final Pattern MERGED = Pattern.compile("(.+\\.experts)\\.(gate_up_proj|down_proj)(_bias)?");

    private final Path path;
    private final boolean interleaved;

    /**
     * @param path for errors
     * @param config the content of config.json
     */
    HfExperts(Path path, ObjectNode config) {
        this.path = path;
        this.interleaved = config.path("model_type").asText().equals("gpt_oss");
    }

    /** The published weights that a tensor holds, and how each is derived from the tensor as it is stored. */
    Map<String, UnaryOperator<Weight>> published(String tensor) {
        Matcher mixtral = MIXTRAL.matcher(tensor);
        if (mixtral.matches()) {
            String name = mixtral.group(1) + PROJECTIONS.get(mixtral.group(2)) + mixtral.group(3);
            return Map.of(name, UnaryOperator.identity());
        }
        Matcher found = MERGED.matcher(tensor);
        if (!found.matches()) {
            return Map.of(tensor, UnaryOperator.identity());
        }
        if (!interleaved) {
            return found.group(3) == null ? oneBehindTheOther(tensor, found) : Map.of(tensor, UnaryOperator.identity());
        }
        String experts = found.group(1) + "." + NamedWeights.EVERY + ".";
        String end = found.group(3) == null ? ".weight" : ".bias";
        UnaryOperator<Weight> rows = found.group(3) == null ? HfExperts::upright : HfExperts::columns;
        if (found.group(2).equals("down_proj")) {
            return Map.of(experts + "down_proj" + end, rows);
        }
        return Map.of(
                experts + "gate_proj" + end, stored -> everyOther(tensor, rows.apply(stored), 0),
                experts + "up_proj" + end, stored -> everyOther(tensor, rows.apply(stored), 1));
    }

    private Map<String, UnaryOperator<Weight>> oneBehindTheOther(String tensor, Matcher found) {
        String experts = found.group(1) + "." + NamedWeights.EVERY + ".";
        if (found.group(2).equals("down_proj")) {
            return Map.of(experts + "down_proj.weight", UnaryOperator.identity());
        }
        return Map.of(
                experts + "gate_proj.weight", stored -> half(tensor, stored, 0),
                experts + "up_proj.weight", stored -> half(tensor, stored, 1));
    }

    private Weight half(String tensor, Weight both, int which) {
        int rows = halfOfRows(tensor, both);
        return both.rows(which * rows, rows);
    }

    /** [E, rows, columns], even if the file has [E, columns, rows]. */
    private static Weight upright(Weight stored) {
        return stored.format() instanceof Plain ? transposed(stored) : stored;
    }

    /** [E, width] as E matrices of one column, so that every other value can be taken. */
    private static Weight columns(Weight biases) {
        return transposed(NamedWeights.vectors(biases));
    }

    private static Weight transposed(Weight stored) {
        return new Weight(stored.columns(), stored.rows(), stored.format(), true, 0, 1, stored.pieces());
    }

    private Weight everyOther(String tensor, Weight both, int first) {
        int rows = halfOfRows(tensor, both);
        return new Weight(rows, both.columns(), both.format(), both.transposed(), first, 2, both.pieces());
    }

    private int halfOfRows(String tensor, Weight both) {
        if (both.rows() % 2 != 0) {
            throw new CheckpointException(
                    path + ": tensor " + tensor + " has " + both.rows() + " rows, expected those of gate and of up");
        }
        return both.rows() / 2;
    }
}
