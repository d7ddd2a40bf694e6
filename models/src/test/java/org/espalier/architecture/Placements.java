package org.espalier.architecture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.espalier.program.Experts.Held;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Share;
import org.espalier.slice.Slice;
import org.espalier.slice.SliceGroup;

/** Ways to share a model's layers among nodes. */
final class Placements {

    private Placements() {}

    /** Every way that the model allows, by name. */
    static Map<String, List<SliceGroup>> of(Architecture architecture) {
        int layers = architecture.layers();
        LayerRange all = LayerRange.whole(layers);
        Map<String, List<SliceGroup>> placements = new LinkedHashMap<>();
        for (int nodes : new int[] {2, 3, 5}) {
            placements.put("tensor over " + nodes, List.of(tensor(all, nodes)));
        }
        placements.put("8 to 3", List.of(parts(all, 8, 3)));
        placements.put("1 to 9 to 2", List.of(parts(all, 1, 9, 2)));
        placements.put("1 to 1000 to 1", List.of(parts(all, 1, 1000, 1))); // shares without a row of the vocabulary
        cut(architecture).ifPresent(cut -> {
            LayerRange first = new LayerRange(0, cut, layers);
            LayerRange second = new LayerRange(cut, layers, layers);
            placements.put("two groups of two", List.of(tensor(first, 2), tensor(second, 2)));
        });
        architecture.moe().ifPresent(moe -> {
            placements.put("experts over 2", List.of(experts(all, moe.count(), 2, Share.WHOLE)));
            placements.put("experts over 3", List.of(experts(all, moe.count(), 3, Share.WHOLE)));
            placements.put(
                    "experts over 3, heads and shared experts sliced", List.of(experts(all, moe.count(), 3, null)));
            placements.put("experts on one of 2", List.of(oneHasAll(all, moe.count())));
        });
        return placements;
    }

    /** The first layer from the middle on that a node can begin with. */
    private static OptionalInt cut(Architecture architecture) {
        int layers = architecture.layers();
        return IntStream.range(Math.max(1, layers / 2), layers)
                .filter(architecture.joinedLayers()::mayBegin)
                .findFirst();
    }

    /** Every layer in equal shares. */
    static SliceGroup tensor(LayerRange layers, int nodes) {
        return parts(layers, IntStream.range(0, nodes).map(node -> 1).toArray());
    }

    /** Every layer in shares of these parts. */
    static SliceGroup parts(LayerRange layers, int... parts) {
        int of = IntStream.of(parts).sum();
        List<Slice> slices = new ArrayList<>();
        int from = 0;
        for (int part : parts) {
            slices.add(Slice.of(layers).sharing(new Share(from, from + part, of)));
            from += part;
        }
        return new SliceGroup(slices);
    }

    /**
     * Experts in turn, of which every third is on a second node too.
     *
     * @param share of everything else; null for equal ones
     */
    static SliceGroup experts(LayerRange layers, int count, int nodes, Share share) {
        List<Slice> slices = new ArrayList<>();
        for (int node = 0; node < nodes; node++) {
            List<Held> held = new ArrayList<>();
            for (int expert = 0; expert < count; expert++) {
                boolean twice = expert % 3 == 0;
                if (expert % nodes == node) {
                    held.add(new Held(expert, 0, twice ? 2 : 1));
                } else if (twice && (expert + 1) % nodes == node) {
                    held.add(new Held(expert, 1, 2));
                }
            }
            Share rest = share == null ? Share.equal(node, nodes) : share;
            slices.add(Slice.of(layers).sharing(rest).holding(held));
        }
        return new SliceGroup(slices);
    }

    private static SliceGroup oneHasAll(LayerRange layers, int count) {
        List<Held> all = IntStream.range(0, count).mapToObj(Held::only).toList();
        return new SliceGroup(
                List.of(Slice.of(layers).holding(List.of()), Slice.of(layers).holding(all)));
    }
}
