package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.espalier.engine.WeightFile.random;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.espalier.EspalierException;
import org.espalier.engine.Step.Entry;
import org.espalier.engine.Step.Logits;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Linear;
import org.espalier.program.Projection;
import org.espalier.weights.Affine;
import org.espalier.weights.Block;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Steps and weights that do not fit are refused with one sentence that says what was expected and found. */
abstract class ErrorSuite extends Suite {

    ErrorSuite(EngineUnderTest tested) {
        super(tested);
    }

    private WeightFile file;
    private LoadedProgram program;

    @BeforeEach
    void load() {
        file = new WeightFile(directory);
        program = tested.load(TinyProgram.tokens(file));
        program.open(1, 4, RouterEdits.NONE);
    }

    @AfterEach
    void close() {
        program.close();
    }

    private static void assertRefused(ThrowingCallable call, String message) {
        assertThatExceptionOfType(EspalierException.class).isThrownBy(call).withMessage(message);
    }

    private void run(ByteBuffer activations, Entry... entries) {
        program.run(new Step(List.of(entries), activations, Set.of()), Exchange.ALONE, new Cancel());
    }

    private static Entry tokens(long session, int position, int... tokens) {
        return Entry.ofTokens(session, position, tokens, Logits.NONE);
    }

    @Test
    void sessionsThatAreNotOpen() {
        assertRefused(() -> run(null, tokens(9, 0, 1)), "session 9 is not open");
        assertRefused(() -> program.length(9), "session 9 is not open");
        assertRefused(() -> program.truncate(9, 0), "session 9 is not open");
        assertRefused(() -> program.fork(9, 10, 0), "session 9 is not open");
    }

    @Test
    void sessionsThatAreOpenAlready() {
        assertRefused(() -> program.open(1, 4, RouterEdits.NONE), "session 1 is already open");
        program.open(2, 4, RouterEdits.NONE);
        assertRefused(() -> program.fork(1, 2, 0), "session 2 is already open");
    }

    @Test
    void lengthsThatASessionDoesNotHave() {
        run(null, tokens(1, 0, 1, 2));
        assertRefused(() -> program.truncate(1, 3), "session 1 has 2 rows and cannot be truncated to 3");
        assertRefused(() -> program.truncate(1, -1), "session 1 has 2 rows and cannot be truncated to -1");
        assertRefused(() -> program.fork(1, 2, 3), "session 1 has 2 rows, but a fork of 3 was asked for");
        assertRefused(
                () -> program.open(2, -1, RouterEdits.NONE),
                "session 2 cannot be opened for -1 rows: expected at least 1");
    }

    @Test
    void stepsThatDoNotFitTheirSession() {
        run(null, tokens(1, 0, 1, 2));
        assertRefused(() -> run(null, tokens(1, 1, 1)), "session 1 has 2 rows, but the step continues at 1");
        assertRefused(
                () -> run(null, tokens(1, 2, 1, 1, 1)),
                "session 1 was opened for 4 rows, but the step would make it 5");
        assertRefused(() -> run(null, tokens(1, 2, 1), tokens(1, 3, 1)), "session 1 is in the step twice");
        assertRefused(() -> run(null, tokens(1, 2)), "session 1 has 0 rows in the step: expected at least 1");
        assertRefused(
                () -> run(null, Entry.ofRows(1, 2, Integer.MAX_VALUE, Logits.NONE)),
                "session 1 was opened for 4 rows, but the step would make it 2147483649");
        assertRefused(() -> run(null), "the step has no rows");
        assertThat(program.length(1)).isEqualTo(2);
    }

    @Test
    void tokensOutsideTheVocabulary() {
        assertRefused(() -> run(null, tokens(1, 0, 11)), "token 11 is not in the vocabulary of 11");
        assertRefused(() -> run(null, tokens(1, 0, -1)), "token -1 is not in the vocabulary of 11");
        assertRefused(
                () -> run(null, Entry.ofRows(1, 0, 1, Logits.NONE)),
                "program 'main' takes tokens, but the step has none");
    }

    @Test
    void activationsOfTheWrongSize() {
        try (LoadedProgram latent = tested.load(TinyProgram.latent(file))) {
            latent.open(1, 4, RouterEdits.NONE);
            Entry entry = Entry.ofRows(1, 0, 2, Logits.NONE);
            for (ByteBuffer bytes : new ByteBuffer[] {null, ByteBuffer.allocate(64)}) {
                assertRefused(
                        () -> latent.run(new Step(List.of(entry), bytes, Set.of()), Exchange.ALONE, new Cancel()),
                        "2 rows x 17 need " + 2 * 17 * latent.activationBytes() + " bytes of activations, found "
                                + (bytes == null ? "none" : "64"));
            }
            assertRefused(
                    () -> latent.run(new Step(List.of(tokens(1, 0, 1)), null, Set.of()), Exchange.ALONE, new Cancel()),
                    "program 'main' takes activations, but the step has tokens");
        }
    }

    @Test
    void precisionsThatTheEngineHasNot() {
        for (Precision precision : Precision.values()) {
            if (!tested.engine().provider().precisions().contains(precision)) {
                assertThatExceptionOfType(EngineException.class)
                        .isThrownBy(() -> LoadedProgram.load(
                                tested.engine(),
                                program.program(),
                                EngineOptions.FLOAT32.with(precision),
                                Loading.quietly()))
                        .withMessageContaining("has no precision " + precision.title());
            }
        }
    }

    @Test
    void aGatherOfOtherNodesThanTheGroupHas() {
        OpBench bench = new OpBench(4, 4);
        bench.op((in, out) -> new ExchangeBegin(7, out, new ExchangeBegin.Gather(List.of(2, 1, 1))))
                .op((in, out) -> new ExchangeAwait(7))
                .exchange(2, Exchange.ALONE);
        assertRefused(
                () -> bench.run(tested, new float[1][4]),
                "program 'main', op 1, ExchangeBegin: gathers from 3 nodes in a group of 2");
    }

    private void assertWeightRefused(Weight weight, String message) {
        OpBench bench = new OpBench(weight.columns(), weight.rows());
        bench.builder().weight("w", weight);
        bench.op((in, out) -> new Linear(in, Projection.of("w"), out));
        assertRefused(() -> bench.run(tested, random(60, 1, weight.columns())), message);
    }

    private static Weight f32(int rows, int columns, Region region) {
        return Weight.matrix(rows, columns, Plain.F32, Piece.of(region));
    }

    @Test
    void weightsThatLieOutsideTheirFile() throws Exception {
        Path short40 = Files.write(directory.resolve("short.bin"), new byte[40]);
        assertWeightRefused(
                f32(3, 4, new Region(short40, 1, 16)),
                "weight w lies at bytes 1 to 49 of " + short40 + ", which has 40: the file is cut off");
        assertWeightRefused(
                f32(2, 4, new Region(short40, -1, 16)),
                "weight w lies at bytes -1 to 31 of " + short40 + ", which has 40: the file is cut off");
        assertWeightRefused(
                f32(2, 4, new Region(short40, 8, -16)), "weight w has rows of 16 bytes, -16 apart in " + short40);
        assertWeightRefused(
                f32(2, 4, new Region(short40, 8, Long.MAX_VALUE)),
                "weight w reaches beyond any file: 2 rows, 9223372036854775807 bytes apart, from byte 8 of " + short40);
        Path gone = directory.resolve("gone.bin");
        assertWeightRefused(f32(1, 4, new Region(gone, 0, 16)), "the weights' file " + gone + " is gone");
    }

    @Test
    void affineWeightsWithoutScales() {
        Region values = file.append(new byte[32], 32);
        assertWeightRefused(
                Weight.matrix(1, 64, new Affine(4, 64, Element.BF16), Piece.of(values)),
                "weight w is quantized but has no scales");
    }

    @Test
    void rowsThatAreNotWholeBlocks() {
        Region values = file.append(new byte[34], 34);
        assertWeightRefused(
                Weight.matrix(1, 40, Block.Q8_0, Piece.of(values)),
                "weight w has rows of 40 values, Q8_0 needs a multiple of 32");
    }

    @Test
    void weightsThatAnOpNamesButTheProgramHasNot() {
        OpBench bench = new OpBench(4, 4);
        bench.op((in, out) -> new Linear(in, Projection.of("w"), out));
        assertRefused(
                () -> bench.run(tested, new float[1][4]), "program 'main', op 1, Linear of w: there is no weight w");
    }
}
