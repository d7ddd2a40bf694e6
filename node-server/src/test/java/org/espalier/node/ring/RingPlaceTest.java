package org.espalier.node.ring;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.espalier.v1.Shard;
import org.espalier.v1.StageProgress;
import org.junit.jupiter.api.Test;

/** A neighbour's heartbeat speaks of the nodes before this one and of no others. */
class RingPlaceTest {

    private static RingPlace place(int index) {
        List<Shard> shards = Stream.of("a", "b", "c")
                .map(name -> Shard.newBuilder().setNode(name).build())
                .toList();
        return new RingPlace("d", 1, shards, index, ByteString.EMPTY);
    }

    private static StageProgress stage(String node) {
        return StageProgress.newBuilder()
                .setNode(node)
                .setReceived(-1)
                .setFinished(-1)
                .setLimitMillis(60_000)
                .build();
    }

    @Test
    void takesWhatIsKnownOfTheNodesBefore() {
        assertThat(place(0).checkBefore(List.of(stage("a"), stage("b"), stage("c"))))
                .isEmpty();
        assertThat(place(0).checkBefore(List.of(stage("c")))).isEmpty();
        assertThat(place(2).checkBefore(List.of(stage("a"), stage("b")))).isEmpty();
        assertThat(place(2).checkBefore(List.of())).isEmpty();
    }

    /** What a node says of itself its neighbours take, however slow it was. */
    @Test
    void takesAnyStepThatHasBeen() {
        StepTimes times = new StepTimes(0);
        times.measured(1, TimeUnit.SECONDS.toNanos(1));
        times.measured(1, TimeUnit.HOURS.toNanos(1));
        StageProgress slow = stage("a").toBuilder()
                .setLimitMillis(TimeUnit.NANOSECONDS.toMillis(times.leastLimitNanos()))
                .setRowLimitMicros(TimeUnit.NANOSECONDS.toMicros(times.rowLimitNanos()))
                .build();
        assertThat(place(1).checkBefore(List.of(slow))).isEmpty();
        assertThat(times.rowLimitNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(1000));
    }

    @Test
    void refusesOthers() {
        assertThat(place(1).checkBefore(List.of(stage("a"), stage("a"))))
                .contains("its heartbeat speaks of 2 nodes, 1 are before this one");
        assertThat(place(2).checkBefore(List.of(stage("b"), stage("a"))))
                .contains("its heartbeat speaks of node 'b', expected 'a'");
        StageProgress negative = stage("a").toBuilder().setLimitMillis(-1).build();
        assertThat(place(1).checkBefore(List.of(negative)))
                .contains("its heartbeat has numbers of node 'a' that no node has");
        StageProgress endless =
                stage("a").toBuilder().setLimitMillis(Long.MAX_VALUE).build();
        assertThat(place(1).checkBefore(List.of(endless)))
                .contains("its heartbeat has numbers of node 'a' that no node has");
    }
}
