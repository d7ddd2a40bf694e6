package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineOptions.Group;
import org.espalier.engine.EngineOptions.KvType;
import org.espalier.engine.EngineOptions.Preparation;
import org.espalier.engine.Precision;
import org.espalier.program.Linear;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.View;
import org.espalier.weights.Affine;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;

/** Words worked out by hand from the comment in {@code espalier.h}; what every op means is held by the engines' suites. */
final class ProgramWordsTest {

    private static final EngineOptions OPTIONS = new EngineOptions(
            Precision.FAST, new Group(1, 2), KvType.F16, 5L << 32 | 6, 3, Set.of(Preparation.WARM_UP));

    @Test
    void aProgram() {
        ProgramBuilder builder = new ProgramBuilder("main", 4);
        View x = builder.slot(4);
        builder.weight("w", Weight.matrix(4, 4, Plain.BF16, Piece.of(new Region(Path.of("b"), 7, 8))));
        builder.cache(6, 5);
        builder.state(9);
        Program program =
                builder.op(new Linear(x.columns(0, 4), Projection.of("w"), x)).build(x, x);
        assertThat(ProgramWords.of(program, OPTIONS, Path::toString).toArray())
                .containsExactly(
                        0x4c505345,
                        1, // magic, version
                        1,
                        1,
                        2,
                        1,
                        3,
                        2,
                        0,
                        6,
                        5, // options
                        4, // D
                        1,
                        4, // slots
                        0,
                        0,
                        4,
                        0,
                        0,
                        4,
                        -1,
                        0,
                        0, // input, output, no logits
                        2,
                        0,
                        6,
                        5,
                        1,
                        9,
                        0, // caches
                        1,
                        1,
                        'b', // files
                        1,
                        1,
                        'w',
                        4,
                        4,
                        0,
                        4,
                        0,
                        0,
                        0,
                        0,
                        1,
                        1,
                        0, // weights: one, its shape, format and order
                        1,
                        0,
                        7,
                        0,
                        8,
                        0,
                        1,
                        0,
                        -1,
                        0,
                        0,
                        0,
                        0,
                        1,
                        0,
                        -1,
                        0,
                        0,
                        0,
                        0,
                        1,
                        0, // and piece
                        1,
                        3,
                        8,
                        0,
                        0,
                        4,
                        0,
                        -1,
                        0,
                        0,
                        4);
    }

    /** Experts 1 and 2 of a stack whose scales belong to two rows each. */
    @Test
    void ofAStackEveryMatrixIsListed() {
        Path file = Path.of("f");
        Piece first = new Piece(new Region(file, 100, 32), new Region(file, 1000, 2, 2, 1), new Region(file, 5000, 2));
        Weight weight =
                Weight.stack(3, 64, new Affine(4, 64, Element.BF16), first, 4).pick(List.of(1, 2));
        int[] words = new WeightWords(path -> 0).of("w", weight).toArray();
        assertThat(words)
                .startsWith(1, 'w', 3, 64, 2, 4, 64, 4, 0, 0, 1, 1, 0, 2)
                .hasSize(14 + 2 * 21)
                .containsSequence(0, 100 + 3 * 32, 0, 32, 0, 1, 0)
                .containsSequence(0, 1000 + 2 * 2, 0, 2, 0, 2, 0) // row 3 is the fifth's first
                .containsSequence(0, 100 + 6 * 32, 0, 32, 0, 1, 0)
                .containsSequence(0, 1000 + 3 * 2, 0, 2, 0, 2, 1)
                .containsSequence(0, 5000 + 6 * 2, 0, 2, 0, 1, 0);
    }

    @Test
    void slicesByColumnsAreToldFromWholeRows() {
        Weight whole = Weight.matrix(2, 64, Plain.F32, Piece.of(new Region(Path.of("f"), 0, 256)));
        WeightWords words = new WeightWords(path -> 0);
        assertThat(words.of("", whole).toArray()[11]).isZero();
        assertThat(words.of("", whole.columns(32, 32)).toArray()[11]).isOne();
    }
}
