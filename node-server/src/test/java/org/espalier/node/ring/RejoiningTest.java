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
        rejoining.serves();
        assertThat(advised(LOST)).isEqualTo(Remedy.AWAIT_REJOIN);
        assertThat(advised(GONE)).isEqualTo(Remedy.LOAD_AGAIN);
        assertThat(advised(LOST.with(Remedy.SPLIT_OVER_MORE_NODES))).isEqualTo(Remedy.SPLIT_OVER_MORE_NODES);

        rejoining.broke(LOST, 0);
        assertThat(rejoining.givesUp(TimeUnit.MINUTES.toNanos(9))).isFalse();
        assertThat(rejoining.givesUp(TimeUnit.MINUTES.toNanos(11))).isTrue();
        assertThat(advised(LOST.with(Remedy.AWAIT_REJOIN))).isEqualTo(Remedy.LOAD_AGAIN);

        rejoining.serves();
        rejoining.broke(GONE, 0);
        assertThat(advised(LOST)).isEqualTo(Remedy.LOAD_AGAIN);
    }

    private Remedy advised(Failure why) {
        return rejoining.advised(why).remedy().orElseThrow();
    }
}
