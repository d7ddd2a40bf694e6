package org.espalier.program;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.espalier.program.Spoiled.spoiled;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.espalier.program.Experts.Held;
import org.espalier.weights.Block;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A program whose weights make sense passes, see {@link ProgramCheckTest}; one of them spoiled, and the error names it. */
final class WeightsCheckTest {

    @TempDir
    Path directory;

    static Stream<Arguments> weights() {
        return Stream.of(
                spoiled(
                        "missing",
                        d -> d.weights.remove("qkv"),
                        "program 'main', op 2, Linear of qkv: there is no weight qkv"),
                spoiled(
                        "a bias missing",
                        d -> d.weights.remove("bias"),
                        "program 'main', op 2, Linear of qkv: there is no weight bias"),
                spoiled(
                        "of another shape",
                        d -> d.weight("qkv", 1, 15, 8),
                        "program 'main', op 2, Linear of qkv: weight qkv is [15, 8], expected [16, 8]"),
                spoiled(
                        "transposed by mistake",
                        d -> d.weight("qkv", 1, 8, 16),
                        "program 'main', op 2, Linear of qkv: weight qkv is [8, 16], expected [16, 8]"),
                spoiled(
                        "a bias that is no vector",
                        d -> d.weight("bias", 1, 2, 8),
                        "program 'main', op 2, Linear of qkv: weight bias is [2, 8], expected a vector [1, 16]"),
                spoiled(
                        "too many matrices",
                        d -> d.weight("g", 3, 5, 8),
                        "program 'main', op 10, Experts of g: weight g is [3, 5, 8], expected [2, 5, 8]"),
                spoiled(
                        "gate and up of different widths",
                        d -> d.weight("u", 2, 6, 8),
                        "program 'main', op 10, Experts of g: weight u is [2, 6, 8], expected [2, 5, 8]"),
                spoiled(
                        "down from another width",
                        d -> d.weight("sd", 1, 8, 5),
                        "program 'main', op 14, GatedMlp of sg: weight sd is [8, 5], expected [8, 6]"),
                spoiled(
                        "an embedding of another width",
                        d -> d.weight("embed", 1, 11, 7),
                        "program 'main', op 0, Embed of embed: weight embed has 7 columns, expected 8"),
                spoiled(
                        "an embedding of two matrices",
                        d -> d.weight("embed", 2, 11, 8),
                        "program 'main', op 0, Embed of embed: weight embed has 2 matrices, expected 1"),
                spoiled(
                        "an embedding whose rows are not stored as rows",
                        d -> {
                            Weight embed = d.weight("embed", 1, 8, 11).weights.get("embed");
                            d.weights.put("embed", new Weight(11, 8, Plain.F32, true, 0, 1, embed.pieces()));
                        },
                        "program 'main', op 0, Embed of embed: weight embed is stored transposed, expected row"
                                + " by row"),
                spoiled(
                        "a head of another width",
                        d -> d.weight("head", 1, 11, 7),
                        "program 'main', op 21, Logits of head: weight head is [11, 7], expected [11, 8]"),
                spoiled(
                        "scores for other experts",
                        d -> d.weight("r", 1, 5, 8),
                        "program 'main', op 9, Route of r: weight r is [5, 8], expected [4, 8]"),
                spoiled(
                        "a correction for other experts",
                        d -> d.weight("correction", 1, 1, 5),
                        "program 'main', op 9, Route of r: weight correction is [1, 5], expected a vector [1, 4]"),
                spoiled(
                        "scales for other experts",
                        d -> d.set(
                                Draft.ROUTE,
                                new Route(3, Draft.X, Projection.of("r"), "correction", "norm", Draft.ROUTER)),
                        "program 'main', op 9, Route of r: weight norm is [1, 8], expected a vector [1, 4]"),
                spoiled(
                        "an expert held twice",
                        d -> d.set(Draft.EXPERTS, holding(Held.only(0), Held.only(0))),
                        "program 'main', op 10, Experts of g: holds expert 0 twice"),
                spoiled(
                        "two replicas of an expert in one place",
                        d -> d.set(Draft.EXPERTS, holding(new Held(0, 0, 2), new Held(0, 1, 2))),
                        "program 'main', op 10, Experts of g: holds expert 0 twice"),
                spoiled(
                        "an expert that the router does not have",
                        d -> d.set(Draft.EXPERTS, holding(Held.only(0), Held.only(4))),
                        "program 'main', op 10, Experts of g: holds expert 4 of 0 to 3"),
                spoiled(
                        "fewer experts than matrices",
                        d -> d.set(Draft.EXPERTS, holding(Held.only(0))),
                        "program 'main', op 10, Experts of g: weight g is [2, 5, 8], expected [5, 8]"),
                spoiled(
                        "latent keys of another width",
                        d -> d.weight("keyUp", 2, 3, 4),
                        "program 'main', op 17, LatentAttention of keyUp: weight keyUp is [2, 3, 4], expected [2, 3, 3]"),
                spoiled(
                        "taken by no op",
                        d -> d.weight("extra", 1, 1, 1).weight("more", 1, 1, 1),
                        "program 'main' has weights that no op takes: [extra, more]"));
    }

    private static Experts holding(Held... held) {
        return new Experts(3, Draft.X, List.of(held), Draft.UNIT, Draft.SUM);
    }

    private static void stored(Draft draft, String name, Region region) {
        Weight before = draft.weights.get(name);
        draft.weights.put(
                name, Weight.stack(before.rows(), before.columns(), Plain.F32, Piece.of(region), before.count()));
    }

    static Stream<Arguments> regions() {
        return Stream.of(
                spoiled(
                        "beyond the end",
                        d -> stored(d, "norm", new Region(d.file(), 4000, 32)),
                        "weight norm lies at bytes 4000 to 4032 of FILE, which has 3344: the file is cut off"),
                spoiled(
                        "before the begin",
                        d -> stored(d, "norm", new Region(d.file(), -32, 32)),
                        "weight norm lies at bytes -32 to 0 of FILE, which has 3344: the file is cut off"),
                spoiled(
                        "rows that overlap",
                        d -> stored(d, "qkv", new Region(d.file(), 0, 31)),
                        "weight qkv has rows of 32 bytes, 31 apart in FILE"),
                spoiled(
                        "rows so far apart that the product overflows",
                        d -> stored(d, "qkv", new Region(d.file(), 0, Long.MAX_VALUE / 3)),
                        "weight qkv reaches beyond any file: 16 rows, 3074457345618258602 bytes apart, from byte 0 of FILE"),
                spoiled(
                        "the last matrix beyond the end",
                        d -> stored(d, "g", new Region(d.file(), 3344 - 2 * 5 * 32 + 1, 32)),
                        "weight g lies at bytes 3185 to 3345 of FILE, which has 3344: the file is cut off"),
                spoiled(
                        "rows that are not whole blocks",
                        d -> d.weights.put(
                                "qkv", Weight.matrix(16, 8, Block.Q8_0, Piece.of(new Region(d.file(), 0, 34)))),
                        "weight qkv has rows of 8 values, Q8_0 needs a multiple of 32"),
                spoiled(
                        "a file that is gone",
                        d -> stored(d, "norm", new Region(Path.of("gone.bin"), 0, 32)),
                        "the weights' file gone.bin is gone"));
    }

    /** 15 steps of 286331154 are 14 in 32 bits. */
    @Test
    void storedColumnsWhoseNumberOverflowsAreNoWeight() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Weight(
                        16,
                        8,
                        Plain.F32,
                        true,
                        0,
                        286_331_154,
                        new Draft(directory).weights.get("qkv").pieces()))
                .withMessage("not a weight: 16 x 8, first row 0, row step 286331154");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"weights", "regions"})
    void oneWeightSpoiledIsRefused(String what, Consumer<Draft> change, String sentence) {
        Spoiled.assertRefused(directory, change, sentence);
    }
}
