package org.espalier.slice;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.espalier.EspalierException;
import org.espalier.program.Experts;

/**
 * The slices of the nodes that share layers, in the order of their ranks. Together they have every head, all of the width and of the vocabulary, and
 * every replica of every expert, each exactly once; what none of them cuts, each of them computes.
 */
public record SliceGroup(List<Slice> slices) {

    /** Experts that an error names. */
    private static final int MOST_NAMED = 5;

    /** @throws EspalierException listing everything that is missing or there twice */
    public SliceGroup {
        slices = List.copyOf(slices);
        List<String> wrong = new ArrayList<>();
        if (slices.isEmpty()) {
            throw new EspalierException("there is no slice of these layers: expected at least one");
        }
        LayerRange layers = slices.get(0).layers();
        if (!slices.stream().skip(1).allMatch(slice -> slice.layers().equals(layers))) {
            throw new EspalierException("the slices of one group have different layers");
        }
        shares(wrong, slices, "heads", Shares::heads);
        shares(wrong, slices, "width", Shares::width);
        shares(wrong, slices, "vocabulary", Shares::vocabulary);
        experts(wrong, slices);
        if (!wrong.isEmpty()) {
            throw new EspalierException("the slices do not cover their layers: " + String.join("; ", wrong));
        }
    }

    /** A node that has its layers for itself. */
    public static SliceGroup alone(Slice slice) {
        return new SliceGroup(List.of(slice));
    }

    /** These layers on one node. */
    public static SliceGroup alone(LayerRange layers) {
        return alone(Slice.of(layers));
    }

    public int size() {
        return slices.size();
    }

    public LayerRange layers() {
        return slices.get(0).layers();
    }

    /** Each share begins where the one before it ends. */
    private static void shares(List<String> wrong, List<Slice> slices, String what, Function<Shares, Share> dimension) {
        List<Share> shares = slices.stream().map(Slice::shares).map(dimension).toList();
        if (shares.stream().allMatch(Share::isWhole)) {
            return;
        }
        if (shares.get(0).from() != 0) {
            wrong.add("the first share of the " + what + " is " + shares.get(0) + ": expected one from part 0 on");
        }
        for (int rank = 1; rank < shares.size(); rank++) {
            if (!shares.get(rank).follows(shares.get(rank - 1))) {
                wrong.add("of the " + what + ", " + shares.get(rank) + " does not follow " + shares.get(rank - 1));
                return;
            }
        }
        Share last = shares.get(shares.size() - 1);
        if (last.to() < last.of()) {
            wrong.add("of the " + what + ", " + new Share(last.to(), last.of(), last.of()) + " has no node");
        }
    }

    /** Either every node has all experts, or each replica of each is on one. How many experts there are, the builder knows. */
    private static void experts(List<String> wrong, List<Slice> slices) {
        long choosing = slices.stream()
                .filter(slice -> slice.shares().experts().isPresent())
                .count();
        if (choosing == 0) {
            return;
        }
        if (choosing < slices.size()) {
            wrong.add("some nodes list experts and others hold all: list them on every node");
            return;
        }
        TreeMap<Integer, List<Experts.Held>> byExpert = new TreeMap<>();
        for (Slice slice : slices) {
            int last = -1;
            for (Experts.Held held : slice.shares().experts().get()) {
                if (held.expert() <= last) {
                    wrong.add("a node lists expert " + held.expert() + " after expert " + last
                            + ": expected ascending ids");
                    return;
                }
                last = held.expert();
                byExpert.computeIfAbsent(last, expert -> new ArrayList<>()).add(held);
            }
        }
        byExpert.entrySet().stream()
                .filter(entry -> !eachReplicaOnce(entry.getValue()))
                .limit(MOST_NAMED)
                .forEach(entry -> wrong.add("expert " + entry.getKey() + " is held as "
                        + entry.getValue().stream()
                                .limit(MOST_NAMED)
                                .map(held -> held.replica() + " of " + held.replicas())
                                .toList()
                        + ": expected each replica once"));
    }

    private static boolean eachReplicaOnce(List<Experts.Held> all) {
        int replicas = all.get(0).replicas();
        return all.size() == replicas
                && all.stream().allMatch(held -> held.replicas() == replicas)
                && all.stream().map(Experts.Held::replica).distinct().count() == replicas;
    }

    /**
     * Proves that there is a slice for each of the model's experts and none for others.
     *
     * @param count E
     * @throws EspalierException naming the expert
     */
    public void requireExperts(int count) {
        Set<Integer> held = new HashSet<>();
        slices.forEach(slice ->
                slice.shares().experts().ifPresent(list -> list.forEach(one -> held.add(one.expert()))));
        boolean listed = slices.get(0).shares().experts().isPresent();
        for (int expert = 0; listed && expert < count; expert++) {
            if (!held.remove(expert)) {
                throw new EspalierException("expert " + expert + " of " + count + " is on no node");
            }
        }
        if (!held.isEmpty()) {
            List<Integer> named = held.stream().sorted().limit(MOST_NAMED).toList();
            throw new EspalierException("experts " + named + " are placed, but the model has "
                    + (count == 0 ? "none" : "0 to " + (count - 1)));
        }
    }
}
