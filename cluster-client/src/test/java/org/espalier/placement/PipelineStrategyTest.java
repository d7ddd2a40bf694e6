package org.espalier.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.plan.ModelSize;
import org.espalier.plan.ShardSize;
import org.espalier.slice.JoinedLayers;
import org.junit.jupiter.api.Test;

class PipelineStrategyTest {

    private static final long GB = 1_000_000_000L;

    private final Strategy pipeline = Strategy.named("pipeline");

    @Test
    void equalNodesGetEqualShares() {
        ModelSize model = model(Collections.nCopies(61, 6 * GB));
        Placement placement = pipeline.place(model, nodes(8, 64 * GB));
        assertThat(placement.shards()).extracting(Placement.Shard::layers).allMatch(n -> n == 7 || n == 8);
        assertThat(placement.shards().stream().mapToInt(Placement.Shard::layers).sum())
                .isEqualTo(61);
    }

    @Test
    void sharesFollowMemory() {
        ModelSize model = model(Collections.nCopies(30, GB));
        Placement placement =
                pipeline.place(model, List.of(new NodeMemory("a", 40 * GB), new NodeMemory("b", 20 * GB)));
        assertThat(placement.shards())
                .containsExactly(new Placement.Shard("a", 0, 20), new Placement.Shard("b", 20, 30));
    }

    /** 12 GB are free on one machine with two nodes, and 6 GB on another. */
    @Test
    void whatIsFreeOnAMachineIsFreeOnce() {
        List<NodeMemory> nodes = List.of(
                new NodeMemory("a", 12 * GB, "one"), new NodeMemory("b", 12 * GB, "one"), new NodeMemory("c", 6 * GB));
        assertThat(pipeline.place(model(Collections.nCopies(12, GB)), nodes).shards())
                .extracting(Placement.Shard::layers)
                .containsExactly(4, 4, 4);
        assertThatThrownBy(() -> pipeline.place(model(Collections.nCopies(13, GB)), nodes.subList(0, 2)))
                .isInstanceOf(PlacementException.class)
                .hasMessage(
                        "nodes a, b are on one machine, which has 12.0 GB free for models, their shards need 13.0 GB: connect nodes on"
                                + " other machines too, or close other programs there");
    }

    /** Two layers of 8 and 3 GB: not in two halves of 12 GB, but together. */
    @Test
    void nodesOfOneMachineNeedNoEqualParts() {
        List<NodeMemory> nodes = List.of(new NodeMemory("a", 12 * GB, "one"), new NodeMemory("b", 12 * GB, "one"));
        assertThat(pipeline.place(model(List.of(8 * GB, 3 * GB)), nodes).nodes())
                .containsExactly("a", "b");
    }

    @Test
    void embeddingAndOutputCountWhereTheyLie() {
        ModelSize model = model(List.of(3 * GB, GB, GB, GB, GB, GB, GB, 3 * GB));
        Placement placement = pipeline.place(model, nodes(3, 10 * GB));
        assertThat(placement.shards()).extracting(Placement.Shard::layers).containsExactly(2, 4, 2);
    }

    @Test
    void moreNodesThanLayersLeaveTheLastOut() {
        ModelSize model = model(List.of(2L, 2L));
        assertThat(pipeline.place(model, nodes(3, GB)).nodes()).containsExactly("n0", "n1");
    }

    /** Of layers full, full, shared, full, shared, three can begin a node: 0, 1 and 3. */
    @Test
    void noNodeBeginsWithALayerThatNeedsTheOneBefore() {
        JoinedLayers joined = new JoinedLayers(Set.of(2, 4));
        ModelSize model = new ModelSize(Collections.nCopies(5, new ShardSize(GB, 0)), new ShardSize(5 * GB, 0), joined);
        assertThat(pipeline.place(model, nodes(2, 10 * GB)).shards())
                .extracting(Placement.Shard::layers)
                .containsExactly(3, 2);
        for (int nodes : new int[] {3, 4, 9}) {
            Placement placement = pipeline.place(model, nodes(nodes, 10 * GB));
            assertThat(placement.shards())
                    .containsExactly(
                            new Placement.Shard("n0", 0, 1),
                            new Placement.Shard("n1", 1, 3),
                            new Placement.Shard("n2", 3, 5));
            assertThat(placement.requireTogether(joined)).isSameAs(placement);
        }
    }

    @Test
    void keyValueStateIsCounted() {
        ShardSize layer = new ShardSize(GB, 4 * GB + 100_000_000);
        ModelSize model = new ModelSize(List.of(layer, layer), new ShardSize(2 * GB, 8 * GB + 200_000_000));
        assertThatThrownBy(() -> pipeline.place(model, nodes(1, 3 * GB)))
                .isInstanceOf(PlacementException.class)
                .hasMessage(
                        "node n0 has 3.0 GB free for models, its shard needs 10.2 GB: connect more than 1 node, or close other programs there");
    }

    @Test
    void refusesAnUnknownStrategyAndAnEmptyCluster() {
        assertThatThrownBy(() -> Strategy.named("magic"))
                .hasMessageStartingWith("there is no placement strategy 'magic': choose one of pipeline");
        assertThatThrownBy(() -> pipeline.place(model(List.of(1L)), List.of()))
                .hasMessageContaining("there is no node to place the model on");
    }

    /** A node that holds all has the matrix of tied embeddings once. */
    @Test
    void aModelThatFitsOneNodeFits() {
        ShardSize layer = new ShardSize(3 * GB, 0);
        ModelSize tied = new ModelSize(List.of(layer, layer), new ShardSize(5 * GB, 0));
        assertThat(pipeline.place(tied, nodes(1, 5 * GB)).nodes()).containsExactly("n0");
    }

    private static ModelSize model(List<Long> layers) {
        long all = layers.stream().mapToLong(Long::longValue).sum();
        return new ModelSize(
                layers.stream().map(bytes -> new ShardSize(bytes, 0)).toList(), new ShardSize(all, 0));
    }

    private static List<NodeMemory> nodes(int count, long free) {
        return IntStream.range(0, count)
                .mapToObj(i -> new NodeMemory("n" + i, free))
                .toList();
    }
}
