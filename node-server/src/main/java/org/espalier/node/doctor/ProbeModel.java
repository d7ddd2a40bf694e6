package org.espalier.node.doctor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.espalier.program.Activation;
import org.espalier.program.Add;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Experts;
import org.espalier.program.GatedUnit;
import org.espalier.program.Linear;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
import org.espalier.program.RmsNorm;
import org.espalier.program.Route;
import org.espalier.program.Router;
import org.espalier.program.View;
import org.espalier.weights.Affine;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;

/**
 * Programs whose speed is that of models, in MLX's 4-bit format: rows [T, D] to rows. Routers and experts are random numbers, so that rows go to different
 * experts and a wrong result of theirs differs from a right one; whatever else is multiplied is zero, and only timed.
 */
final class ProbeModel implements AutoCloseable {

    static final int HIDDEN = 2048;

    private static final int WIDTH = 1024;
    private static final int EXPERTS = 64;
    private static final int CHOSEN = 8;
    private static final Affine FORMAT = new Affine(4, 64, Element.BF16);

    /** Repeated blocks, of lengths that are no part of an expert's bytes: no two experts are the same. */
    private static final byte[] VALUES = values(1_000_003);

    private static final byte[] SCALES = bfloat16s(100_003, 0x3b80, 128); // from 1/256 to 1/128

    /** From -1/32 on: their mean is 7.5 times that of the scales, so that the weights lie around zero. */
    private static final byte[] BIASES = bfloat16s(100_003, 0xbd00, 104);

    private final ProbeFile file;

    /** @param path of a file that is made */
    ProbeModel(Path path) throws IOException {
        this.file = new ProbeFile(path);
    }

    /** Square 4-bit matrices, one after the other. */
    Program products(int layers) throws IOException {
        ProgramBuilder builder = new ProgramBuilder("products", HIDDEN);
        View x = builder.slot(HIDDEN);
        View y = builder.slot(HIDDEN);
        for (int layer = 0; layer < layers; layer++) {
            String name = builder.weight("w" + layer, zeros(HIDDEN, HIDDEN));
            builder.op(new Linear(layer % 2 == 0 ? x : y, Projection.of(name), layer % 2 == 0 ? y : x));
        }
        return builder.build(x, layers % 2 == 1 ? y : x);
    }

    /** Layers of 64 experts, 8 of them for each row: the shape of OLMoE's. */
    Program mixture(int layers) throws IOException {
        ProgramBuilder builder = new ProgramBuilder("mixture", HIDDEN);
        View x = builder.slot(HIDDEN);
        View normed = builder.slot(HIDDEN);
        View out = builder.slot(HIDDEN);
        Router router = new Router(EXPERTS, CHOSEN, Router.Scoring.SOFTMAX, Router.Groups.NONE, false, 1);
        List<Experts.Held> held =
                IntStream.range(0, EXPERTS).mapToObj(Experts.Held::only).toList();
        Weight gate =
                experts(WIDTH, HIDDEN); // written once: an engine that reads files gives each layer memory of its own
        Weight up = experts(WIDTH, HIDDEN);
        Weight down = experts(HIDDEN, WIDTH);
        for (int layer = 0; layer < layers; layer++) {
            String name = layer + ".";
            builder.weight(name + "router", router(layer));
            builder.weight(name + "gate", gate);
            builder.weight(name + "up", up);
            builder.weight(name + "down", down);
            builder.op(new RmsNorm(x, RmsNorm.Gain.ONE, 1e-6f, 1, normed))
                    .op(new Route(layer, normed, Projection.of(name + "router"), null, router))
                    .op(new Experts(
                            layer,
                            normed,
                            held,
                            GatedUnit.of(name + "gate", name + "up", name + "down", Activation.SILU),
                            out))
                    .op(new Add(x, out, x));
        }
        return builder.build(x, x);
    }

    /** Small products, with an exchange of their rows after each, or without. */
    Program crossings(int layers, boolean exchanging) throws IOException {
        ProgramBuilder builder = new ProgramBuilder(exchanging ? "crossings" : "no crossings", HIDDEN);
        View x = builder.slot(HIDDEN);
        View y = builder.slot(HIDDEN);
        String name = builder.weight("w", zeros(HIDDEN, HIDDEN));
        for (int layer = 0; layer < layers; layer++) {
            builder.op(new Linear(x, Projection.of(name), y));
            if (exchanging) {
                builder.op(new ExchangeBegin(layer, y, new ExchangeBegin.Sum())).op(new ExchangeAwait(layer));
            }
            builder.op(new Add(x, y, x));
        }
        return builder.build(x, x);
    }

    private Weight router(int seed) throws IOException {
        Random random = new Random(seed);
        ByteBuffer bytes = ByteBuffer.allocate(EXPERTS * HIDDEN * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            bytes.putFloat((random.nextInt(17) - 8) / 64f);
        }
        return Weight.matrix(EXPERTS, HIDDEN, Plain.F32, Piece.of(file.of((long) HIDDEN * Float.BYTES, bytes.array())));
    }

    private Weight zeros(int rows, int columns) throws IOException {
        Region values = file.hole(rows, FORMAT.rowBytes(columns));
        Region scales = file.hole(rows, FORMAT.scaleRowBytes(columns));
        Region biases = file.hole(rows, FORMAT.biasRowBytes(columns));
        return Weight.matrix(rows, columns, FORMAT, new Piece(values, scales, biases));
    }

    private Weight experts(int rows, int columns) throws IOException {
        long all = (long) rows * EXPERTS;
        Region values = file.repeated(all, FORMAT.rowBytes(columns), VALUES);
        Region scales = file.repeated(all, FORMAT.scaleRowBytes(columns), SCALES);
        Region biases = file.repeated(all, FORMAT.biasRowBytes(columns), BIASES);
        return Weight.stack(rows, columns, FORMAT, new Piece(values, scales, biases), EXPERTS);
    }

    private static byte[] values(int length) {
        byte[] bytes = new byte[length];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    /** @param first bits of a power of two, from which on so many numbers are drawn */
    private static byte[] bfloat16s(int count, int first, int numbers) {
        Random random = new Random(first);
        ByteBuffer bytes = ByteBuffer.allocate(count * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            bytes.putShort((short) (first + random.nextInt(numbers)));
        }
        return bytes.array();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
