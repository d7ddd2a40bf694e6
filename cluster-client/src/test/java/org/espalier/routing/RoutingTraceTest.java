package org.espalier.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import tech.tablesaw.api.Table;

class RoutingTraceTest {

    /** Two MoE layers of four experts, two a token. */
    private final RoutingTrace trace = new RoutingTrace(List.of(1, 5), 4, 2);

    RoutingTraceTest() {
        trace.append(new short[] {0, 1, 3, 2}, new float[] {0.75f, 0.25f, 0.5f, 0.5f});
        trace.append(new short[] {0, 2, 3, -1}, new float[] {0.5f, 0.5f, 1f, 0f});
    }

    @Test
    void keepsTheOrderOfPositionsLayersAndPlaces() {
        assertThat(trace.positions()).isEqualTo(2);
        assertThat(trace.expert(0, 1, 0)).isEqualTo(0);
        assertThat(trace.expert(0, 5, 1)).isEqualTo(2);
        assertThat(trace.weight(0, 1, 0)).isEqualTo(0.75f);
        assertThat(trace.expert(1, 5, 1)).isEqualTo(-1);
    }

    @Test
    void countsLoad() {
        ExpertLoad load = trace.load();
        assertThat(load.counts(1)).containsExactly(2, 1, 1, 0);
        assertThat(load.counts(5)).containsExactly(0, 0, 1, 2);
        assertThat(load.weights(1)).containsExactly(1.25, 0.25, 0.5, 0);
        assertThat(load.share(5, 3)).isEqualTo(2 / 3.0);
        assertThat(load.idle(5)).isEqualTo(2);
        assertThat(load.imbalance(1)).isEqualTo(2 / (4 / 4.0));
        assertThat(load.entropy(1)).isCloseTo(1.5, within(1e-12)); // 1/2, 1/4, 1/4
        assertThat(ExpertLoad.of(trace, 1, 2).counts(1)).containsExactly(1, 0, 1, 0);
    }

    @Test
    void anEmptyTraceHasNoLoad() {
        ExpertLoad load = new RoutingTrace(List.of(1), 4, 2).load();
        assertThat(load.share(1, 0)).isZero();
        assertThat(load.imbalance(1)).isZero();
        assertThat(load.entropy(1)).isZero();
    }

    @Test
    void becomesTables() {
        Table decisions = trace.table();
        assertThat(decisions.rowCount()).isEqualTo(7); // 2 positions x 2 layers x 2 places, one unused
        assertThat(decisions.columnNames()).containsExactly("position", "token", "layer", "place", "expert", "weight");
        assertThat(decisions.intColumn("expert").asList()).containsExactly(0, 1, 3, 2, 0, 2, 3);
        assertThat(decisions.intColumn("layer").asList()).containsExactly(1, 1, 5, 5, 1, 1, 5);
        Table load = RoutingTables.load(trace.load());
        assertThat(load.where(load.intColumn("layer").isEqualTo(5))
                        .intColumn("count")
                        .asList())
                .containsExactly(0, 0, 1, 2);
        assertThat(RoutingTables.balance(trace.load()).intColumn("idle").asList())
                .containsExactly(1, 2);
    }

    @Test
    void refusesWhatDoesNotFit() {
        assertThatThrownBy(() -> trace.append(new short[3], new float[4]))
                .hasMessage("a position has 2 layers x 2 = 4 decisions, found 3 experts and 4 weights");
        assertThatThrownBy(() -> trace.expert(2, 1, 0)).hasMessage("there are positions 0 to 1, asked for 2");
        assertThatThrownBy(() -> trace.expert(0, 1, 2)).hasMessage("there are places 0 to 1, asked for 2");
        assertThatThrownBy(() -> trace.load().share(5, 4)).hasMessage("layer 5 has experts 0 to 3, asked for 4");
    }

    @Test
    void aLayerWithoutExpertsIsAnErrorThatNamesThoseWithSome() {
        ExpertLoad load = trace.load();
        for (ThrowingCallable ask : List.<ThrowingCallable>of(
                () -> trace.expert(0, 0, 0),
                () -> trace.weight(0, 0, 0),
                () -> load.counts(0),
                () -> load.weights(0),
                () -> load.share(0, 3),
                () -> load.idle(0),
                () -> load.imbalance(0),
                () -> load.entropy(0))) {
            assertThatThrownBy(ask).hasMessage("layer 0 has no experts: those with experts are 1, 5");
        }
    }

    @Test
    void saysWhatItBelongsTo() {
        RoutingTrace named = trace.named("demo", "\"Hallo Welt\"", List.of("Hallo", " Welt"));
        assertThat(named).hasToString("routing of demo, \"Hallo Welt\": 2 positions, layers 1, 5, 2 of 4 experts each");
        assertThat(named.load().title()).isEqualTo("demo, \"Hallo Welt\", positions 0 to 1");
        assertThat(named.table().stringColumn("token").asList())
                .containsExactly("Hallo", "Hallo", "Hallo", "Hallo", " Welt", " Welt", " Welt");
    }
}
