package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.BiFunction;
import org.espalier.program.Embed;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.espalier.weights.Block;
import org.espalier.weights.Piece;
import org.espalier.weights.Weight;
import org.junit.jupiter.api.Test;

/**
 * GGUF's blocks of 256 values against bytes packed by hand. Every test draws quanta and scales, puts them where ggml's k-quants have them
 * (<a href="https://github.com/ggml-org/llama.cpp/pull/1684">the change that made them</a>), and multiplies them out.
 */
abstract class KQuantSuite extends Suite {

    KQuantSuite(EngineUnderTest tested) {
        super(tested);
    }

    private static final int VALUES = 256;
    private static final int BLOCKS = 3;

    /** f16 bits of 2^-4 and 2^-6: products with small whole numbers are exact. */
    private static final short D = 0x2c00;

    private static final short M = 0x2400;

    private final Random random = new Random(60);

    /** @param pack fills a block and gives its values */
    private void holds(Block type, BiFunction<Block, ByteBuffer, float[]> pack) {
        byte[] bytes = new byte[BLOCKS * type.blockBytes()];
        float[] expected = new float[BLOCKS * VALUES];
        for (int block = 0; block < BLOCKS; block++) {
            ByteBuffer place = ByteBuffer.wrap(bytes, block * type.blockBytes(), type.blockBytes())
                    .slice()
                    .order(ByteOrder.LITTLE_ENDIAN);
            System.arraycopy(pack.apply(type, place), 0, expected, block * VALUES, VALUES);
        }
        Weight weight = Weight.matrix(
                1, expected.length, type, Piece.of(new WeightFile(directory).append(bytes, bytes.length)));
        ProgramBuilder builder = new ProgramBuilder("main", expected.length);
        View out = builder.slot(expected.length);
        builder.weight("w", weight);
        builder.op(new Embed("w", out));
        try (LoadedProgram program = tested.load(builder.build(out, out))) {
            program.open(1, 1, RouterEdits.NONE);
            Step step = new Step(List.of(Step.Entry.ofTokens(1, 0, new int[] {0}, Step.Logits.NONE)), null, Set.of());
            StepResult result = program.run(step, Exchange.ALONE, new Cancel());
            float[][] actual = new Wire(program.activationBytes()).unpack(result.activations(), 1, expected.length);
            tested.differences().compare(Embed.class, type, actual, new Expected[][] {Expected.of(expected)});
        }
    }

    private int[] draw(int count, int bits) {
        return random.ints(count, 0, 1 << bits).toArray();
    }

    /** ORs bits into a byte. */
    private static void or(ByteBuffer bytes, int at, int bits) {
        assertThat(bits).isLessThan(256);
        bytes.put(at, (byte) (bytes.get(at) | bits));
    }

    @Test
    void q2k() {
        holds(Block.Q2_K, (type, block) -> {
            int[] quanta = draw(VALUES, 2);
            int[] scales = draw(16, 4);
            int[] minima = draw(16, 4);
            block.putShort(80, D).putShort(82, M);
            float[] values = new float[VALUES];
            for (int i = 0; i < 16; i++) {
                or(block, i, scales[i] | minima[i] << 4);
            }
            for (int half = 0; half < 2; half++) {
                for (int quarter = 0; quarter < 4; quarter++) {
                    for (int l = 0; l < 32; l++) {
                        int i = 128 * half + 32 * quarter + l;
                        or(block, 16 + 32 * half + l, quanta[i] << 2 * quarter);
                        values[i] = 0x1p-4f * scales[i / 16] * quanta[i] - 0x1p-6f * minima[i / 16];
                    }
                }
            }
            return values;
        });
    }

    @Test
    void q3k() {
        holds(Block.Q3_K, (type, block) -> {
            int[] quanta = draw(VALUES, 3);
            int[] scales = draw(16, 6);
            block.putShort(108, D);
            float[] values = new float[VALUES];
            for (int i = 0; i < 16; i++) {
                or(block, 96 + i % 8, (scales[i] & 15) << (i < 8 ? 0 : 4));
                or(block, 96 + 8 + i % 4, (scales[i] >> 4) << 2 * (i / 4));
            }
            for (int i = 0; i < VALUES; i++) {
                or(block, i % 32, (quanta[i] >> 2) << i / 32);
                or(block, 32 + i / 128 * 32 + i % 32, (quanta[i] & 3) << 2 * (i % 128 / 32));
                values[i] = 0x1p-4f * (scales[i / 16] - 32) * (quanta[i] - 4);
            }
            return values;
        });
    }

    /** 6-bit scales and minima of Q4_K and Q5_K in bytes 4 to 15. */
    private static void pairs(ByteBuffer block, int[] scales, int[] minima) {
        for (int i = 0; i < 4; i++) {
            or(block, 4 + i, scales[i] | (scales[4 + i] >> 4) << 6);
            or(block, 8 + i, minima[i] | (minima[4 + i] >> 4) << 6);
            or(block, 12 + i, scales[4 + i] & 15 | (minima[4 + i] & 15) << 4);
        }
    }

    @Test
    void q4k() {
        holds(Block.Q4_K, (type, block) -> withPairs(block, 4));
    }

    @Test
    void q5k() {
        holds(Block.Q5_K, (type, block) -> withPairs(block, 5));
    }

    private float[] withPairs(ByteBuffer block, int bits) {
        int[] quanta = draw(VALUES, bits);
        int[] scales = draw(8, 6);
        int[] minima = draw(8, 6);
        block.putShort(0, D).putShort(2, M);
        pairs(block, scales, minima);
        int nibbles = bits == 4 ? 16 : 16 + 32;
        float[] values = new float[VALUES];
        for (int i = 0; i < VALUES; i++) {
            or(block, nibbles + i / 64 * 32 + i % 32, (quanta[i] & 15) << (i % 64 < 32 ? 0 : 4));
            if (bits == 5) {
                or(block, 16 + i % 32, (quanta[i] >> 4) << i / 32);
            }
            values[i] = 0x1p-4f * scales[i / 32] * quanta[i] - 0x1p-6f * minima[i / 32];
        }
        return values;
    }

    @Test
    void q6k() {
        holds(Block.Q6_K, (type, block) -> {
            int[] quanta = draw(VALUES, 6);
            block.putShort(208, D);
            float[] values = new float[VALUES];
            int[] scales = draw(16, 8);
            for (int i = 0; i < 16; i++) {
                block.put(192 + i, (byte) scales[i]);
            }
            for (int i = 0; i < VALUES; i++) {
                int within = i % 128;
                or(block, i / 128 * 64 + within % 64, (quanta[i] & 15) << (within < 64 ? 0 : 4));
                or(block, 128 + i / 128 * 32 + within % 32, (quanta[i] >> 4) << 2 * (within / 32));
                values[i] = 0x1p-4f * (byte) scales[i / 16] * (quanta[i] - 32);
            }
            return values;
        });
    }

    @Test
    void iq4xs() {
        int[] levels = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
        holds(Block.IQ4_XS, (type, block) -> {
            int[] quanta = draw(VALUES, 4);
            int[] scales = draw(8, 6);
            block.putShort(0, D);
            float[] values = new float[VALUES];
            for (int i = 0; i < 8; i++) {
                block.putShort(2, (short) (block.getShort(2) | (scales[i] >> 4) << 2 * i));
                or(block, 4 + i / 2, (scales[i] & 15) << (i % 2 == 0 ? 0 : 4));
            }
            for (int i = 0; i < VALUES; i++) {
                or(block, 8 + i / 32 * 16 + i % 16, quanta[i] << (i % 32 < 16 ? 0 : 4));
                values[i] = 0x1p-4f * (scales[i / 32] - 32) * levels[quanta[i]];
            }
            return values;
        });
    }
}
