package org.espalier.node.ring;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.espalier.failure.Failure;
import org.espalier.v1.Shard;
import org.espalier.v1.StageProgress;
import org.junit.jupiter.api.Test;

/** What the head concludes from what all stages say, and the time that it counts. */
class WatchTest {

    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

    private final RingPlace place = new RingPlace(
            "d",
            1,
            Stream.of("a", "b", "c")
                    .map(name -> Shard.newBuilder()
                            .setNode(name)
                            .setAddress(name + ":1")
                            .build())
                    .toList(),
            0,
            ByteString.EMPTY);

    private static StageProgress stage(String node, long received, long finished) {
        return StageProgress.newBuilder()
                .setNode(node)
                .setReceived(received)
                .setFinished(finished)
                .setLimitMillis(60_000)
                .build();
    }

    private final List<StageProgress> lostAfterB = List.of(stage("a", 7, 7), stage("b", 7, 7), stage("c", 6, 6));

    private Optional<Failure> overdue(Map<Long, Flight> flights, long late, long unanswered) {
        return Watch.overdue(place, flights, late, unanswered, lostAfterB);
    }

    private static Map<Long, Flight> flights(long... steps) {
        Map<Long, Flight> flights = new LinkedHashMap<>();
        for (long step : steps) {
            flights.put(step, new Flight());
        }
        return flights;
    }

    @Test
    void aStepThatNobodyComputesIsWithTheFirstNodeThatHasNotFinishedIt() {
        assertThat(overdue(flights(7), 180 * SECOND, 0)).isEmpty();
        Failure stuck = overdue(flights(7), 181 * SECOND, 0).orElseThrow();
        assertThat(stuck.node()).isEqualTo("c");
        assertThat(stuck.kind()).isEqualTo(Failure.Kind.TIMED_OUT);
        assertThat(stuck.message())
                .isEqualTo("step 7 has not come back for 181 s, and no node says that it computes it; node c (c:1)"
                        + " should have it: the last one it received is 6, the last one it finished 6");
    }

    /** 60 s for each of three stages, and each step in flight. */
    @Test
    void stepsInFlightWaitForEachOther() {
        assertThat(overdue(flights(7, 8), 360 * SECOND, 0)).isEmpty();
        assertThat(overdue(flights(7, 8), 361 * SECOND, 0)).isPresent();
        assertThat(overdue(flights(), 361 * SECOND, 0)).isEmpty();
    }

    @Test
    void aQuestionThatIsNotAnsweredIsTheLastNodes() {
        assertThat(overdue(flights(), 0, 360 * SECOND)).isEmpty();
        Failure unanswered = overdue(flights(), 0, 361 * SECOND).orElseThrow();
        assertThat(unanswered.node()).isEqualTo("c");
        assertThat(unanswered.message())
                .isEqualTo("node c (c:1) has not answered whether a session can be truncated or forked for 361 s");
    }

    @Test
    void nothingIsConcludedFromWhatOnlySomeSay() {
        assertThat(Watch.overdue(place, flights(7), 1000 * SECOND, 0, lostAfterB.subList(1, 3)))
                .isEmpty();
    }

    @Test
    void aPauseAndOthersWorkAreNotCounted() {
        WatchClock clock = new WatchClock(0);
        clock.tick(SECOND / 2, false);
        clock.tick(100 * SECOND, false);
        assertThat(clock.now()).as("a pause is one late tick").isEqualTo(SECOND * 3 / 2);
        for (int i = 1; i <= 200; i++) {
            clock.tick(100 * SECOND + i * SECOND / 2, true);
        }
        assertThat(clock.now()).as("a hundredth of 100 s").isEqualTo(SECOND * 5 / 2);
    }
}
