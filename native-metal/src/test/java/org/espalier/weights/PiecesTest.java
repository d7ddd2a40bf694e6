package org.espalier.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class PiecesTest {

    /** 4 matrices of 3 rows of 8 bytes. */
    private static final Pieces STACK = new Pieces.Stack(Piece.of(new Region(Path.of("w"), 100, 8)), 3, 4);

    private static long offset(Pieces pieces, int index) {
        return pieces.get(index).values().offset();
    }

    @Test
    void equallyFarMatricesStayAStack() {
        Pieces odd = STACK.pick(List.of(1, 3));
        assertThat(odd).isInstanceOf(Pieces.Stack.class);
        assertThat(odd.count()).isEqualTo(2);
        assertThat(offset(odd, 0)).isEqualTo(100 + 1 * 3 * 8);
        assertThat(offset(odd, 1)).isEqualTo(100 + 3 * 3 * 8);
        assertThat(STACK.pick(List.of(2))).isInstanceOf(Pieces.Stack.class);
    }

    @Test
    void othersAreAList() {
        Pieces picked = STACK.pick(List.of(3, 0, 1));
        assertThat(picked).isInstanceOf(Pieces.Apart.class);
        assertThat(offset(picked, 0)).isEqualTo(100 + 3 * 3 * 8);
        assertThat(offset(picked, 1)).isEqualTo(100);
    }

    @Test
    void matricesThatThereAreNotCannotBePicked() {
        for (int index : new int[] {-1, 4}) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> STACK.pick(List.of(index)));
        }
        assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> STACK.pick(List.of()));
    }

    /** 1 column of 3 bits would be a row of no bytes. */
    @Test
    void rowsOfAffineValuesAreWholeBytes() {
        assertThat(new Affine(3, 1, Element.BF16).fits(1)).isFalse();
        assertThat(new Affine(3, 4, Element.BF16).fits(4)).isFalse();
        assertThat(new Affine(2, 2, Element.BF16).fits(2)).isFalse();
        assertThat(new Affine(3, 4, Element.BF16).fits(8)).isTrue();
        assertThat(new Affine(4, 64, Element.BF16).fits(32)).isFalse();
    }
}
