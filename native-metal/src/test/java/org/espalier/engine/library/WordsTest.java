package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.RouterEdits.LayerEdit;
import org.espalier.engine.Step;
import org.espalier.program.View;
import org.junit.jupiter.api.Test;

final class WordsTest {

    @Test
    void numbersAndViews() {
        Words words = new Words()
                .add(-3)
                .addLong(0x0123456789abcdefL)
                .addLong(-2)
                .addFloat(1.5f)
                .addFlag(true)
                .addView(new View(1, 2, 3))
                .addView(null)
                .addInts(List.of(7, 8));
        assertThat(words.toArray())
                .containsExactly(-3, 0x89abcdef, 0x01234567, -2, -1, 0x3fc00000, 1, 1, 2, 3, -1, 0, 0, 2, 7, 8);
    }

    @Test
    void stringsAreUtf8AndPadded() {
        assertThat(new Words().addString("").addString("abcd").addString("é1").toArray())
                .containsExactly(0, 4, 0x64636261, 3, 0x31a9c3);
    }

    @Test
    void bytesAreThoseFromPositionToLimit() {
        ByteBuffer bytes =
                ByteBuffer.wrap(new byte[] {9, 1, 2, 3, 4, -1, 9}).position(1).limit(6);
        assertThat(new Words().addBytes(bytes).toArray()).containsExactly(5, 0x04030201, 0xff);
        assertThat(bytes.remaining()).isEqualTo(5);
    }

    @Test
    void aBufferGrows() {
        Words words = new Words();
        for (int i = 0; i < 1000; i++) {
            words.addAll(i, i, i);
        }
        assertThat(new Words().addPart(words).toArray())
                .hasSize(3001)
                .startsWith(3000, 0, 0, 0, 1)
                .endsWith(999);
        assertThat(words.toBytes().getInt(4 * 2999)).isEqualTo(999);
    }

    @Test
    void steps() {
        Step step = new Step(
                List.of(
                        Step.Entry.ofTokens(1L << 32 | 5, 3, new int[] {40, 41}, Step.Logits.ALL),
                        Step.Entry.greedy(6, 9, Step.Logits.LAST),
                        Step.Entry.ofRows(7, 0, 4, Step.Logits.NONE)),
                null,
                Set.of(Step.Want.LAST_HIDDEN));
        assertThat(StepWords.of(step).toArray())
                .containsExactly(
                        2, 3, // wants, entries
                        5, 1, 3, 2, 0, 2, 40, 41, //
                        6, 0, 9, 1, 2, 1, //
                        7, 0, 0, 4, 1, 0);
    }

    @Test
    void edits() {
        RouterEdits edits = new RouterEdits(Map.of(
                9, new LayerEdit(Set.of(5, 4), List.of(2, 1), OptionalInt.of(3), 0.5f),
                4, new LayerEdit(Set.of(), List.of(), OptionalInt.empty(), 1)));
        assertThat(EditsWords.of(edits).toArray())
                .containsExactly(2, 4, 0, 0, -1, 0x3f800000, 9, 2, 4, 5, 2, 2, 1, 3, 0x3f000000);
        assertThat(EditsWords.of(RouterEdits.NONE).toArray()).containsExactly(0);
    }
}
