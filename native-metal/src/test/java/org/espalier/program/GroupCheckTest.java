package org.espalier.program;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

import java.util.List;
import org.junit.jupiter.api.Test;

/** A gather fits its group: a width for each node, and each node's own columns have values. */
class GroupCheckTest {

    /** Yields [T, 4], of which the node of {@code rank} has written columns 2 rank and 2 rank + 1. */
    private static Program gathering(int rank) {
        ProgramBuilder builder = new ProgramBuilder("main", 4);
        View x = builder.slot(4);
        View all = builder.slot(4);
        View own = all.columns(2 * rank, 2);
        return builder.op(new Add(x.columns(0, 2), x.columns(2, 2), own))
                .op(new ExchangeBegin(1, all, new ExchangeBegin.Gather(List.of(2, 2))))
                .op(new ExchangeAwait(1))
                .build(x, all);
    }

    @Test
    void eachNodeHasWrittenItsOwnColumns() {
        assertThatNoException().isThrownBy(() -> gathering(0).check(0, 2));
        assertThatNoException().isThrownBy(() -> gathering(1).check(1, 2));
        assertThatExceptionOfType(ProgramException.class)
                .isThrownBy(() -> gathering(0).check(1, 2))
                .withMessage(
                        "program 'main', op 1, ExchangeBegin: reads column 2 of slot 1, which nothing has written");
    }

    @Test
    void thereIsAWidthForEachNode() {
        for (int nodes : new int[] {1, 3}) {
            assertThatExceptionOfType(ProgramException.class)
                    .isThrownBy(() -> gathering(0).check(0, nodes))
                    .withMessage("program 'main', op 1, ExchangeBegin: gathers from 2 nodes in a group of " + nodes);
        }
    }
}
