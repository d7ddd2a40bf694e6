package org.espalier.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.model.ModelSize;
import org.junit.jupiter.api.Test;

class PipelineStrategyTest {

    private static final long GB = 1_000_000_000L;

    private final Strategy pipeline = Strategy.named("pipeline");

    @Test
    void equalNodesGetEqualShares() {
        ModelSize model = new ModelSize(0, Collections.nCopies(61, 6 * GB), 0, 0);
        Placement placement = pipeline.place(model, nodes(8, 64 * GB));
        assertThat(placement.shards()).extracting(Placement.Shard::layers).allMatch(n -> n == 7 || n == 8);
        assertThat(placement.shards().stream().mapToInt(Placement.Shard::layers).sum())
                .isEqualTo(61);
    }

    @Test
    void sharesFollowMemory() {
        ModelSize model = new ModelSize(0, Collections.nCopies(30, GB), 0, 0);
        Placement placement =
                pipeline.place(model, List.of(new NodeMemory("a", 40 * GB), new NodeMemory("b", 20 * GB)));
        assertThat(placement.shards())
                .containsExactly(new Placement.Shard("a", 0, 20), new Placement.Shard("b", 20, 30));
    }

    @Test
    void embeddingAndOutputCountWhereTheyLie() {
        ModelSize model = new ModelSize(2 * GB, Collections.nCopies(8, GB), 2 * GB, 0);
        Placement placement = pipeline.place(model, nodes(3, 10 * GB));
        assertThat(placement.shards()).extracting(Placement.Shard::layers).containsExactly(2, 4, 2);
    }

    @Test
    void moreNodesThanLayersLeaveTheLastOut() {
        ModelSize model = new ModelSize(1, List.of(1L, 1L), 1, 0);
        assertThat(pipeline.place(model, nodes(3, GB)).nodes()).containsExactly("n0", "n1");
    }

    @Test
    void keyValueStateIsCounted() {
        ModelSize model = new ModelSize(0, List.of(GB, GB), 0, 1_000_000);
        assertThatThrownBy(() -> pipeline.place(model, nodes(1, 3 * GB)))
                .isInstanceOf(PlacementException.class)
                .hasMessage(
                        "node n0 has 3.0 GB free, its shard needs 10.2 GB: connect more than 1 node, or close other programs there");
    }

    @Test
    void refusesAnUnknownStrategyAndAnEmptyCluster() {
        assertThatThrownBy(() -> Strategy.named("magic"))
                .hasMessageStartingWith("there is no placement strategy 'magic': choose one of pipeline");
        assertThatThrownBy(() -> pipeline.place(new ModelSize(1, List.of(1L), 1, 0), List.of()))
                .hasMessageContaining("there is no node to place the model on");
    }

    private static List<NodeMemory> nodes(int count, long free) {
        return IntStream.range(0, count)
                .mapToObj(i -> new NodeMemory("n" + i, free))
                .toList();
    }
}
