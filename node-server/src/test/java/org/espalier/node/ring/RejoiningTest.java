package org.espalier.node.ring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.espalier.Remedy;
import org.espalier.failure.Failure;
import org.junit.jupiter.api.Test;

class RejoiningTest {

    private static final Failure LOST =
            new Failure("n1", Failure.Kind.NODE_LOST, "node n1 is lost").with(Remedy.LOAD_AGAIN);
    private static final Failure GONE =
            new Failure("n1", Failure.Kind.DEPLOYMENT_GONE, "it was unloaded").with(Remedy.LOAD_AGAIN);

    private final Rejoining rejoining = new Rejoining();

    @Test
    void waitingHelpsWhereItIsTriedAgain() {
        assertThat(advised(LOST)).isEqualTo(Remedy.LOAD_AGAIN); // it never served
        rejoining.serves(0);
        assertThat(advised(LOST)).isEqualTo(Remedy.AWAIT_REJOIN);
        assertThat(advised(GONE)).isEqualTo(Remedy.LOAD_AGAIN);
        assertThat(advised(LOST.with(Remedy.SPLIT_OVER_MORE_NODES))).isEqualTo(Remedy.SPLIT_OVER_MORE_NODES);

        rejoining.broke(LOST, 0);
        assertThat(rejoining.givesUp(TimeUnit.MINUTES.toNanos(9))).isFalse();
        assertThat(rejoining.givesUp(TimeUnit.MINUTES.toNanos(11))).isTrue();
        assertThat(advised(LOST.with(Remedy.AWAIT_REJOIN))).isEqualTo(Remedy.LOAD_AGAIN);

        rejoining.serves(0);
        rejoining.broke(GONE, 0);
        assertThat(advised(LOST)).isEqualTo(Remedy.LOAD_AGAIN);
    }

    /** Serves for a second whenever it is joined. */
    @Test
    void aRingThatBreaksAtOnceIsTriedLessAndLessAndNotForEver() {
        long second = TimeUnit.SECONDS.toNanos(1);
        long now = 0;
        int attempts = 0;
        rejoining.serves(now);
        rejoining.broke(LOST, now);
        while (!rejoining.givesUp(now)) {
            assertThat(now).isLessThan(700 * second);
            if (rejoining.isDue(now)) {
                attempts++;
                rejoining.attempt();
                rejoining.serves(now);
                now += second;
                rejoining.broke(LOST, now);
            } else {
                now += second / 2;
            }
        }
        assertThat(attempts).isBetween(60, 75); // 0.5, 1, 2, 4, then 8 s apart, and a second each
        assertThat(now).isGreaterThanOrEqualTo(600 * second);
    }

    @Test
    void oneThatHasServedForHalfAMinuteBeginsAnew() {
        long second = TimeUnit.SECONDS.toNanos(1);
        rejoining.serves(0);
        for (int i = 0; i < 6; i++) {
            rejoining.broke(LOST, i * second);
        }
        rejoining.attempt();
        rejoining.serves(10 * second);
        rejoining.broke(LOST, 40 * second);
        assertThat(rejoining.isDue(40 * second + second / 2)).isTrue();
        assertThat(rejoining.givesUp(610 * second)).isFalse();
    }

    private Remedy advised(Failure why) {
        return rejoining.advised(why).remedy().orElseThrow();
    }
}
