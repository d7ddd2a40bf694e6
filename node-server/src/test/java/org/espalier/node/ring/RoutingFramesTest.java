package org.espalier.node.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.protobuf.ByteString;
import java.util.Collections;
import java.util.List;
import org.espalier.v1.Routing;
import org.junit.jupiter.api.Test;

/** Routing of several shards becomes one; what a node makes up is refused before there is memory for it. */
class RoutingFramesTest {

    private static Routing routing(int layers, int rows, int width) {
        int decisions = layers * rows * width;
        return Routing.newBuilder()
                .addAllLayers(Collections.nCopies(layers, 1))
                .setRows(rows)
                .setWidth(width)
                .setExperts(ByteString.copyFrom(new byte[decisions * Short.BYTES]))
                .setWeights(ByteString.copyFrom(new byte[decisions * Float.BYTES]))
                .build();
    }

    @Test
    void aNarrowerShardHasUnusedPlaces() {
        Routing merged = RoutingFrames.slice(List.of(routing(1, 3, 2), routing(2, 3, 1)), 1, 2, 5);
        assertThat(merged.getLayersCount()).isEqualTo(3);
        assertThat(merged.getPosition()).isEqualTo(5);
        short[] experts = new short[3 * 2 * 2];
        RoutingFrames.buffer(merged.getExperts()).asShortBuffer().get(experts);
        assertThat(experts).containsExactly(new int[] {0, 0, 0, 0, 0, -1, 0, -1, 0, -1, 0, -1});
    }

    /** Either is small by itself: only together they would take 2 GB. */
    @Test
    void manyLayersOfNoWidthBesideAWideOneAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RoutingFrames.slice(List.of(routing(1, 1, 1000), routing(1_000_000, 1, 0)), 0, 1, 0))
                .withMessage(
                        "the routing of 1 rows has 1000001 layers x 1000 experts, expected at most 4194304 in all");
    }
}
