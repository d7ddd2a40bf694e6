package org.espalier.checkpoint;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.weights.Piece;
import org.espalier.weights.Weight;

/**
 * The weights of a checkpoint by published names, each created when it is asked for. All experts of a layer have one name, with {@code *} for
 * the expert, whether the file has a stack of them or a tensor for each.
 */
final class NamedWeights {

    /** Stands for any expert's number. */
    static final String EVERY = "*";

    private static final int MAX_EXPERTS = Short.MAX_VALUE; // routing carries ids in 16 bits
    private static final int WHOLE = -1; // in place of an expert's number
    private static final Pattern EXPERT = Pattern.compile("(.+\\.experts\\.)(\\d{1,5})(\\..+)");

    private final Path path;
    private final String hint;
    private final Map<String, TreeMap<Integer, Stored>> byName = new LinkedHashMap<>();

    /** @param tensor its name in the file */
    private record Stored(String tensor, Supplier<Weight> weight) {}

    /** @param hint added to the message that a tensor is missing */
    NamedWeights(Path path, String hint) {
        this.path = path;
        this.hint = hint;
    }

    /**
     * @param name published; that of a single expert has its number
     * @param tensor the file's name for it
     * @throws CheckpointException for a duplicate name
     */
    void put(String name, String tensor, Supplier<Weight> weight) {
        Matcher expert = EXPERT.matcher(name);
        boolean single = expert.matches();
        int number = single ? Integer.parseInt(expert.group(2)) : WHOLE;
        TreeMap<Integer, Stored> all = byName.computeIfAbsent(
                single ? expert.group(1) + EVERY + expert.group(3) : name, key -> new TreeMap<>());
        Stored other = all.putIfAbsent(number, new Stored(tensor, weight));
        if (other == null && all.size() > 1 && all.firstKey() == WHOLE) {
            other = all.get(single ? WHOLE : all.lastKey());
        }
        if (other != null) {
            throw new CheckpointException(
                    path + " has both " + other.tensor + " and " + tensor + " for the tensor " + name);
        }
    }

    /**
     * The stack of a layer's experts: matrices [E, rows, columns], or biases [E, width], which become vectors.
     *
     * @param shape of the tensor in the file
     * @throws CheckpointException if it is not a stack, or has more experts than there are ids
     */
    void putStack(String name, String tensor, List<Long> shape, Supplier<Weight> weight) {
        boolean biases = name.endsWith(".bias");
        if (shape.size() != (biases ? 2 : 3) || shape.get(0) > MAX_EXPERTS) {
            throw new CheckpointException(path + ": tensor " + tensor + " has the shape " + shape
                    + ", expected a stack of 1 to " + MAX_EXPERTS + (biases ? " vectors" : " matrices"));
        }
        put(name, tensor, biases ? () -> vectors(weight.get()) : weight);
    }

    /** The rows of a matrix, each as a vector. */
    static Weight vectors(Weight matrix) {
        return Weight.stack(
                1, matrix.columns(), matrix.format(), matrix.pieces().get(0), matrix.rows());
    }

    Set<String> names() {
        return Collections.unmodifiableSet(byName.keySet());
    }

    /** @throws CheckpointException naming what is missing, or an expert that differs from the others */
    Weight get(String name) {
        TreeMap<Integer, Stored> found = byName.get(name);
        if (found == null) {
            throw missing(name);
        }
        return found.firstKey() == WHOLE ? found.get(WHOLE).weight.get() : apart(name, found);
    }

    private Weight apart(String name, TreeMap<Integer, Stored> experts) {
        if (experts.size() > MAX_EXPERTS) {
            throw new CheckpointException(path + " has " + experts.size() + " tensors " + name + ", expected at most "
                    + MAX_EXPERTS + " experts");
        }
        List<Piece> pieces = new ArrayList<>();
        Weight first = null;
        for (int expert = 0; expert <= experts.lastKey(); expert++) {
            Stored stored = experts.get(expert);
            if (stored == null) {
                throw missing(name.replace(EVERY, Integer.toString(expert)));
            }
            Weight weight = stored.weight.get();
            if (weight.count() != 1) {
                throw new CheckpointException(path + ": tensor " + stored.tensor + " has the shape " + shape(weight)
                        + ", expected one matrix for one expert");
            }
            first = first == null ? weight : first;
            requireAlike(experts.get(0).tensor, first, stored.tensor, weight);
            pieces.add(weight.pieces().get(0));
        }
        return Weight.matrices(first.rows(), first.columns(), first.format(), pieces);
    }

    /** An engine reads all matrices of a weight in the same way. */
    private void requireAlike(String firstTensor, Weight first, String tensor, Weight weight) {
        if (!shape(weight).equals(shape(first)) || !weight.format().equals(first.format())) {
            throw new CheckpointException(path + ": tensor " + tensor + " is "
                    + weight.format().title() + " " + shape(weight) + " but " + firstTensor + " is "
                    + first.format().title() + " " + shape(first) + ", expected all experts of a layer alike");
        }
    }

    private static List<Integer> shape(Weight weight) {
        return weight.count() == 1
                ? List.of(weight.rows(), weight.columns())
                : List.of(weight.count(), weight.rows(), weight.columns());
    }

    private CheckpointException missing(String name) {
        return new CheckpointException(path + " has no tensor " + name + hint);
    }
}
