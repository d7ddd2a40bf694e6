package org.espalier.program;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.espalier.weights.Affine;
import org.espalier.weights.Block;
import org.espalier.weights.Element;
import org.espalier.weights.FileRanges;
import org.espalier.weights.Piece;
import org.espalier.weights.Pieces;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;

/** What programs read, keep and cost. Every number is worked out by hand beside it. */
class PlanTest {

    private static final Path FILE = Path.of("weights");
    private static final StepShape ONE = new StepShape(1, 4, 1);

    private final ProgramBuilder builder = new ProgramBuilder("main", 8);
    private long end;

    /** F32 after what the file has so far. */
    private String floats(String name, int rows, int columns) {
        return weight(name, Weight.matrix(rows, columns, Plain.F32, piece(4L * columns, rows)));
    }

    private String stack(String name, int count, int rows, int columns) {
        return weight(name, Weight.stack(rows, columns, Plain.F32, piece(4L * columns, (long) count * rows), count));
    }

    private String weight(String name, Weight weight) {
        return builder.weight(name, weight);
    }

    private Piece piece(long rowBytes, long rows) {
        return Piece.of(region(rowBytes, rows));
    }

    private Region region(long rowBytes, long rows) {
        Region region = new Region(FILE, end, rowBytes);
        end += rowBytes * rows;
        return region;
    }

    private Plan plan(View input, View output) {
        return builder.build(input, output).plan();
    }

    @Test
    void aLinearIsReadOnceAndMultipliedWithEveryRow() {
        View x = builder.slot(8);
        builder.op(new Linear(x, new Projection(floats("w", 6, 8), floats("b", 1, 6)), builder.slot(6)));
        Plan plan = plan(x, x);
        assertThat(plan.residentBytes()).isEqualTo(4 * (6 * 8 + 6));
        // a multiplication and an addition for each of 54 values and each row
        assertThat(plan.cost(ONE)).isEqualTo(new Cost(216, 0, 2 * 54));
        assertThat(plan.cost(new StepShape(10, 0, 50))).isEqualTo(new Cost(216, 0, 20 * 54));
    }

    /** Two slots of 8 and 6; of a mixture with 2 of 4 experts for each row 8 gathered values, gate and up of 5, and 8 of down. Logits and the table are not counted. */
    @Test
    void aStepKeepsSlotsAndWhatLiesBetweenProducts() {
        View x = builder.slot(8);
        View y = builder.slot(6);
        builder.op(new Embed(floats("table", 100, 8), x)).op(new Linear(x, Projection.of(floats("w", 6, 8)), y));
        assertThat(plan(x, x).stepValuesPerRow()).isEqualTo(8 + 6 + 6);

        View out = builder.slot(8);
        Router router = new Router(4, 2, Router.Scoring.SOFTMAX, Router.Groups.NONE, false, 1);
        builder.op(new Route(0, x, Projection.of(floats("router", 4, 8)), null, router))
                .op(new Experts(
                        0,
                        x,
                        IntStream.range(0, 4).mapToObj(Experts.Held::only).toList(),
                        GatedUnit.of(
                                stack("gate", 4, 5, 8), stack("up", 4, 5, 8), stack("down", 4, 8, 5), Activation.SILU),
                        out))
                .op(new Logits(out, "table", builder.logits(100)));
        assertThat(plan(x, out).stepValuesPerRow()).isEqualTo(8 + 6 + 8 + 2 * (8 + 5 + 5 + 8));
    }

    /** Of the first, 6 rows of 4 values; of the second, rows from the third on. */
    @Test
    void slicesByColumnsCountByWhatIsCopied() {
        View x = builder.slot(8);
        Weight whole = Weight.matrix(6, 8, Plain.F32, Piece.of(region(32, 6)));
        weight("columns", whole.columns(2, 4));
        weight("rows", Weight.matrix(6, 8, Plain.F32, Piece.of(region(32, 6))).rows(2, 4));
        builder.op(new Linear(x.columns(2, 4), Projection.of("columns"), builder.slot(6)))
                .op(new Linear(x, Projection.of("rows"), builder.slot(4)));
        assertThat(plan(x, x).residentBytes()).isEqualTo(6 * 16 + 4 * 32);
        // fetched as one range, from the third value of the first to the end of the second
        assertThat(plan(x, x).ranges(Plan.FETCH_GAP).bytes()).isEqualTo(2 * 6 * 32 - 8);
    }

    /** The table is read a row of 32 bytes at a time, and whole by the logits; it lies there once. */
    @Test
    void tiedEmbeddingsCountOnce() {
        View x = builder.slot(8);
        View normed = builder.slot(8);
        String table = floats("embed", 11, 8);
        builder.op(new Embed(table, x))
                .op(new RmsNorm(x, floats("norm", 1, 8), 1e-5f, 1, normed))
                .op(new Logits(normed, table, builder.logits(11)));
        Plan plan = plan(x, x);
        long tableBytes = 4 * 11 * 8;
        assertThat(plan.residentBytes()).isEqualTo(tableBytes + 32);
        assertThat(plan.ranges(0).bytes()).isEqualTo(tableBytes + 32);
        assertThat(plan.bytesByFormat()).isEqualTo(Map.of("F32", tableBytes + 32));
        assertThat(plan.parts()).isEqualTo(new Plan.Parts(tableBytes, 0, tableBytes + 32));
        // norm 2 * 8, logits 2 * 88, for each of 3 rows
        assertThat(plan.cost(new StepShape(3, 0, 1))).isEqualTo(new Cost(3 * 32 + 32 + tableBytes, 0, 3 * (16 + 176)));
    }

    /** The same matrix under two names, as a file may have it. */
    @Test
    void oneMatrixOfTwoNamesCountsOnce() {
        View x = builder.slot(8);
        Region bytes = region(32, 8);
        weight("a", Weight.matrix(8, 8, Plain.F32, Piece.of(bytes)));
        weight("b", Weight.matrix(8, 8, Plain.F32, Piece.of(bytes)));
        builder.op(new Linear(x, Projection.of("a"), builder.slot(8)))
                .op(new Linear(x, Projection.of("b"), builder.slot(8)));
        assertThat(plan(x, x).residentBytes()).isEqualTo(256);
    }

    @Test
    void theEndsAreApartFromTheLayers() {
        View x = builder.slot(8);
        View block = builder.slot(8);
        builder.op(new Embed(floats("embed", 5, 8), x)) // 160 bytes
                .op(new Linear(x, Projection.of(floats("w", 8, 8)), block)) // 256
                .op(new Add(x, block, x))
                .op(new RmsNorm(x, floats("norm", 1, 8), 1e-5f, 1, block)) // 32
                .op(new Logits(block, floats("head", 5, 8), builder.logits(5))); // 160
        assertThat(plan(x, x).parts()).isEqualTo(new Plan.Parts(160, 256, 192));
    }

    /** E = 8 and K = 2, D = 8 and width 4: an expert has 3 matrices of 32 values, 384 bytes. */
    private Plan experts(List<Integer> held) {
        View x = builder.slot(8);
        Router router = new Router(8, 2, Router.Scoring.SOFTMAX, Router.Groups.NONE, true, 1);
        int count = held.size();
        builder.op(new Route(3, x, Projection.of(floats("gate", 8, 8)), null, router)) // 256 bytes
                .op(new Experts(
                        3,
                        x,
                        held.stream().map(Experts.Held::only).toList(),
                        GatedUnit.of(
                                stack("g", count, 4, 8),
                                stack("u", count, 4, 8),
                                stack("d", count, 8, 4),
                                Activation.SILU),
                        builder.slot(8)));
        return plan(x, x);
    }

    @Test
    void ofExpertsTheTouchedOnesAreRead() {
        Plan plan = experts(IntStream.range(0, 8).boxed().toList());
        assertThat(plan.residentBytes()).isEqualTo(256 + 8 * 384);
        // one row: 2 experts are read, and computed with 2 * 96 operations each; the gate takes 2 * 64
        assertThat(plan.cost(new StepShape(1, 2, 1))).isEqualTo(new Cost(256 + 2 * 384, 0, 128 + 2 * 192));
        // 5 rows that touch 6: each is read once, 5 * 2 are computed
        assertThat(plan.cost(new StepShape(5, 6, 1))).isEqualTo(new Cost(256 + 6 * 384, 0, 5 * 128 + 10 * 192));
        // more than there are cannot be touched
        assertThat(plan.cost(new StepShape(100, 99, 1)).weightBytes()).isEqualTo(256 + 8 * 384);
    }

    @Test
    void aShardThatHoldsAQuarterReadsAndComputesAQuarter() {
        Plan plan = experts(List.of(1, 6));
        assertThat(plan.residentBytes()).isEqualTo(256 + 2 * 384);
        // of 4 touched experts 1 is here; 4 rows choose 8, of which 2 are here
        assertThat(plan.cost(new StepShape(4, 4, 1))).isEqualTo(new Cost(256 + 384, 0, 4 * 128 + 2 * 192));
    }

    /** 2 query heads of width 4 and 1 KV head: a row of the cache has 4 values of k and 4 of v. */
    private Plan attention(int window) {
        View q = builder.slot(8);
        View kv = builder.slot(8);
        int cache = builder.cache(8, window);
        builder.op(new Attention(
                q, kv.columns(0, 4), kv.columns(4, 4), Attention.grouped(2, 1), 0.5f, null, cache, builder.slot(8)));
        return plan(q, q);
    }

    @Test
    void attentionReadsWhatItsRowsSee() {
        Plan plan = attention(0);
        // 100 rows of 8 values; for each 8 columns of q: 8 multiplications and additions for the score, 8 for the sum
        assertThat(plan.cost(new StepShape(1, 0, 100))).isEqualTo(new Cost(0, 800, 100 * 4 * 8));
        assertThat(plan.cost(new StepShape(3, 0, 100))).isEqualTo(new Cost(0, 2400, 3 * 100 * 4 * 8));
        assertThat(plan.cacheValuesPerRow()).isEqualTo(8);
        assertThat(plan.cacheValues(1000)).isEqualTo(8000);
    }

    @Test
    void aWindowEndsWhatIsSeenAndKept() {
        Plan plan = attention(16);
        assertThat(plan.cost(new StepShape(1, 0, 100))).isEqualTo(new Cost(0, 16 * 8, 16 * 4 * 8));
        assertThat(plan.cost(new StepShape(1, 0, 10))).isEqualTo(new Cost(0, 10 * 8, 10 * 4 * 8));
        assertThat(plan.cacheValuesPerRow()).isEqualTo(8);
        assertThat(plan.cacheValues(1000)).isEqualTo(8 * (16 + 64)); // the window and 64 spare rows
        assertThat(plan.cacheValues(50)).isEqualTo(400);
    }

    @Test
    void aStateIsOfOneSizeHoweverLongTheSession() {
        builder.state(40);
        View x = builder.slot(8);
        Plan plan = plan(x, x);
        assertThat(plan.cacheValuesPerRow()).isZero();
        assertThat(plan.cacheValues(7)).isEqualTo(40);
        assertThat(plan.stateValues()).isEqualTo(40);
    }

    /** 2 heads, nope 4, rope 2, rank 3, value 5. */
    @Test
    void latentAttentionReadsItsMatricesOnceAndALatentARow() {
        View q = builder.slot(2 * (4 + 2));
        int cache = builder.cache(3 + 2);
        builder.op(new LatentAttention(
                q,
                builder.slot(3),
                builder.slot(2),
                stack("keyUp", 2, 3, 4),
                stack("valueUp", 2, 5, 3),
                2,
                0.7f,
                cache,
                null,
                builder.slot(10)));
        Plan plan = plan(q, q);
        long weights = 4 * (2 * 12 + 2 * 15);
        assertThat(plan.residentBytes()).isEqualTo(weights);
        // 54 values of the two; for each of 10 latents and 2 heads a score over 5 values and a sum over 3
        assertThat(plan.cost(new StepShape(1, 0, 10))).isEqualTo(new Cost(weights, 50, 2 * 54 + 10 * 2 * 2 * (5 + 3)));
        assertThat(plan.cacheValuesPerRow()).isEqualTo(5);
    }

    /** 3 index heads of width 4; a latent of 3 beside a rope of 2 for one head. At most 16 rows are chosen. */
    @Test
    void aSelectionReadsEveryRowAndAttentionTheChosenOnes() {
        View q = builder.slot(12);
        View row = builder.slot(10);
        builder.op(new SelectRows(0, q, row.columns(0, 4), row.columns(4, 3), 16, builder.cache(4)));
        builder.op(new LatentAttention(
                q.columns(0, 6),
                row.columns(0, 3),
                row.columns(8, 2),
                stack("keyUp", 1, 3, 4),
                stack("valueUp", 1, 5, 3),
                1,
                0.7f,
                builder.cache(5),
                0,
                builder.slot(5)));
        Plan plan = plan(q, q);
        long matrices = 2 * (12 + 15);
        // a key of 4 for each of 100 rows, by 3 heads; of 16 latents 5 values, a score over 5 and a sum over 3
        assertThat(plan.cost(new StepShape(1, 0, 100)))
                .isEqualTo(new Cost(2 * matrices, 100 * 4 + 16 * 5, 100 * 2 * 12 + matrices + 16 * 2 * (5 + 3)));
        // 16 rows and fewer are seen without being scored
        assertThat(plan.cost(new StepShape(2, 0, 16)))
                .isEqualTo(new Cost(2 * matrices, 2 * 16 * 5, 2 * (matrices + 16 * 2 * (5 + 3))));
        assertThat(plan.cacheValuesPerRow()).isEqualTo(4 + 5);
        assertThat(plan.cacheValues(1000)).isEqualTo(9000);
    }

    /** kv_b in fp8, blocks of 128 rows: 2 heads of 40 rows for keys and 60 for values, whose two rows of scales both halves read. */
    @Test
    void bytesThatTwoWeightsShareCountOnce() {
        Scaled format = new Scaled(Element.E4M3, 128, Element.F32);
        Region values = new Region(FILE, 0, 128);
        Region scales = new Region(FILE, 25_600, 4, 128, 0);
        weight("keyUp", new Weight(128, 40, format, true, 0, 1, heads(values, scales, 0)));
        weight("valueUp", new Weight(60, 128, format, false, 0, 1, heads(values, scales, 40)));
        View x = builder.slot(8);
        Plan plan = plan(x, x);
        assertThat(plan.residentBytes()).isEqualTo(200 * 128 + 2 * 4);
        assertThat(plan.bytesByFormat()).isEqualTo(Map.of("fp8 E4M3, group 128", 200L * 128 + 8));
    }

    /** Rows {@code from} on of head 0, and of head 1 a hundred rows later. */
    private static Pieces heads(Region values, Region scales, int from) {
        return new Pieces.Apart(IntStream.of(from, from + 100)
                .mapToObj(row -> new Piece(
                        new Region(FILE, values.offset() + row * values.rowBytes(), values.rowBytes()),
                        new Region(FILE, scales.offset() + row / 128 * scales.rowBytes(), 4, 128, row % 128),
                        null))
                .toList());
    }

    @Test
    void formatsAreTold() {
        View x = builder.slot(64);
        // 2 rows of 64 values of 4 bits: 32 bytes, and an F16 scale and bias
        Piece affine = new Piece(region(32, 2), region(2, 2), region(2, 2));
        weight("affine", Weight.matrix(2, 64, new Affine(4, 64, Element.F16), affine));
        weight("q8", Weight.matrix(3, 64, Block.Q8_0, piece(68, 3))); // two blocks of 34 bytes
        builder.op(new Linear(x, Projection.of("affine"), builder.slot(2)))
                .op(new Linear(x, Projection.of("q8"), builder.slot(3)));
        Plan plan = plan(x, x);
        assertThat(plan.bytesByFormat()).isEqualTo(Map.of("affine 4 bits, group 64", 72L, "Q8_0", 204L));
        assertThat(plan.cost(ONE)).isEqualTo(new Cost(276, 0, 2 * 5 * 64));
    }

    @Test
    void rangesAreFetchedWithGapsBelowAMebibyte() {
        View x = builder.slot(8);
        floats("a", 1, 8); // bytes 0 to 32
        end += Plan.FETCH_GAP - 1;
        floats("b", 1, 8);
        end += Plan.FETCH_GAP;
        floats("c", 1, 8);
        Plan plan = plan(x, x);
        long begin = 64 + Plan.FETCH_GAP - 1 + Plan.FETCH_GAP;
        assertThat(plan.ranges(Plan.FETCH_GAP).byFile().get(FILE))
                .containsExactly(
                        new FileRanges.Range(0, 64 + Plan.FETCH_GAP - 1), new FileRanges.Range(begin, begin + 32));
        assertThat(plan.residentBytes()).as("gaps are fetched, not counted").isEqualTo(96);
    }
}
