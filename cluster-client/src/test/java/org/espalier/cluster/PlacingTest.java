package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.espalier.model.ModelIdentity;
import org.espalier.placement.Placement;
import org.espalier.plan.ModelSize;
import org.espalier.plan.ShardSize;
import org.junit.jupiter.api.Test;

/** What memory a model is placed into: what is free, and what models may have at most. */
class PlacingTest {

    private static final long GB = 1_000_000_000;
    private static final ModelSize SIX_GB =
            new ModelSize(Collections.nCopies(6, new ShardSize(GB, 0)), new ShardSize(6 * GB, 0));

    /** Of 24 GB; models may have {@code limit}. */
    private static NodeInfo node(String name, String machine, long free, long limit, ShardInfo... shards) {
        return new NodeInfo(
                name,
                "tls://10.0.0.1:5",
                "",
                "1",
                24 * GB,
                free * GB,
                List.of(),
                "M2",
                8,
                Arrays.asList(shards),
                Optional.empty(),
                machine,
                new NodeDetails(limit * GB, limit == 0 ? "" : "iogpu.wired_limit_mb", 0, List.of(), 0));
    }

    private static ShardInfo holding(String deployment, long bytes) {
        Placement placement = new Placement("pipeline", 6, List.of(new Placement.Shard("a", 0, 6)));
        ModelIdentity model = new ModelIdentity(deployment, "", "0".repeat(64), "");
        return new ShardInfo(
                deployment, 1, model, placement, "me", List.of(), bytes * GB, 0, true, "reference", "float32");
    }

    private static Placement place(Set<String> freed, NodeInfo... nodes) {
        return new Placing(SIX_GB, List.of(nodes), freed).by(LoadOptions.defaults());
    }

    @Test
    void aModelGetsNoMoreThanModelsMayHave() {
        assertThat(place(Set.of(), node("a", "a", 12, 6)).nodes()).containsExactly("a");
        assertThat(place(Set.of(), node("a", "a", 12, 0)).nodes())
                .as("it does not say")
                .containsExactly("a");
        assertThatThrownBy(() -> place(Set.of(), node("a", "a", 12, 5)))
                .hasMessageStartingWith("node a has 5.0 GB free for models, its shard needs 6.0 GB");
        assertThatThrownBy(() -> place(Set.of(), node("a", "a", 5, 12)))
                .hasMessageStartingWith("node a has 5.0 GB free for models, its shard needs 6.0 GB");
    }

    @Test
    void whatOtherModelsKeepCountsAndWhatMakesRoomDoesNot() {
        NodeInfo holds = node("a", "a", 12, 8, holding("old", 3));
        assertThatThrownBy(() -> place(Set.of(), holds)).hasMessageStartingWith("node a has 5.0 GB free for models");
        assertThat(place(Set.of("old"), holds).nodes()).containsExactly("a");
        assertThatThrownBy(() -> place(Set.of(), node("a", "a", 12, 8, holding("old", 9))))
                .hasMessageStartingWith("node a has 0.0 GB free for models");
    }

    @Test
    void nodesOfOneMachineShareWhatModelsMayHaveThere() {
        assertThatThrownBy(() -> place(Set.of(), node("a", "m", 12, 7), node("b", "m", 12, 7, holding("old", 2))))
                .hasMessageContaining("nodes a, b are on one machine, which has 5.0 GB free for models");
        Placement placement = place(Set.of(), node("a", "m", 12, 2), node("b", "n", 12, 8));
        assertThat(placement.nodes()).containsExactly("a", "b");
        assertThat(placement.shards().get(0).layers())
                .as("of a, which has a fifth")
                .isLessThanOrEqualTo(2);
    }
}
