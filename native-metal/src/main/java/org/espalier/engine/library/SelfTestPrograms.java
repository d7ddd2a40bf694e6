package org.espalier.engine.library;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.engine.Cancel;
import org.espalier.engine.Exchange;
import org.espalier.engine.Executor;
import org.espalier.engine.Step;
import org.espalier.program.Activation;
import org.espalier.program.Experts;
import org.espalier.program.GatedUnit;
import org.espalier.program.Linear;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.Projection;
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
 * Two tiny programs over weights in MLX's 4-bit format, and the rows they are given; the same on every machine. Whole numbers are drawn, so that nothing
 * depends on how a system rounds.
 */
final class SelfTestPrograms {

    static final int ROWS = 3;
    static final int HIDDEN = 128;
    static final int EXPERTS = 4;

    private static final int WIDTH = 64;
    private static final Affine FORMAT = new Affine(4, 64, Element.BF16);

    private final Path file;
    private final Path folder;

    /** @param folder where the file of weights is put */
    SelfTestPrograms(Path folder) {
        this.folder = folder;
        this.file = folder.resolve("weights");
    }

    /** y[T, D] = x W^T. */
    Program product() throws IOException {
        ProgramBuilder builder = new ProgramBuilder("quantized product", HIDDEN);
        View x = builder.slot(HIDDEN);
        View y = builder.slot(HIDDEN);
        builder.weight("w", quantized(1, HIDDEN, HIDDEN, 1));
        return builder.op(new Linear(x, Projection.of("w"), y)).build(x, y);
    }

    /** Two of four experts for each row. */
    Program gathered() throws IOException {
        ProgramBuilder builder = new ProgramBuilder("gathered product", HIDDEN);
        View x = builder.slot(HIDDEN);
        View y = builder.slot(HIDDEN);
        builder.weight("router", router());
        builder.weight("gate", quantized(2, WIDTH, HIDDEN, EXPERTS));
        builder.weight("up", quantized(3, WIDTH, HIDDEN, EXPERTS));
        builder.weight("down", quantized(4, HIDDEN, WIDTH, EXPERTS));
        Router router = new Router(EXPERTS, 2, Router.Scoring.SOFTMAX, Router.Groups.NONE, true, 1);
        List<Experts.Held> held =
                IntStream.range(0, EXPERTS).mapToObj(Experts.Held::only).toList();
        GatedUnit unit = GatedUnit.of("gate", "up", "down", new Activation.Silu());
        return builder.op(new Route(0, x, Projection.of("router"), null, router))
                .op(new Experts(0, x, held, unit, y))
                .build(x, y);
    }

    /** The first program, whose file is not there. */
    Program withoutItsFile() {
        return new SelfTestPrograms(folder.resolve("none")).unwritten();
    }

    private Program unwritten() {
        ProgramBuilder builder = new ProgramBuilder("no file", HIDDEN);
        View x = builder.slot(HIDDEN);
        View y = builder.slot(HIDDEN);
        Region rows = new Region(file, 0, (long) HIDDEN * Float.BYTES);
        builder.weight("w", Weight.matrix(HIDDEN, HIDDEN, Plain.F32, Piece.of(rows)));
        return builder.op(new Linear(x, Projection.of("w"), y)).build(x, y);
    }

    /** Router scores that lie far apart: none is chosen by rounding. */
    private Weight router() throws IOException {
        Random random = new Random(5);
        ByteBuffer bytes = little(EXPERTS * HIDDEN * Float.BYTES);
        for (int i = 0; i < EXPERTS * HIDDEN; i++) {
            bytes.putFloat((random.nextInt(17) - 8) / 8f);
        }
        return Weight.matrix(EXPERTS, HIDDEN, Plain.F32, Piece.of(append(bytes, (long) HIDDEN * Float.BYTES)));
    }

    /** Scales from 1/64 to 1/32, biases of minus eight scales. */
    private Weight quantized(long seed, int rows, int columns, int count) throws IOException {
        Random random = new Random(seed);
        int groups = rows * count * columns / FORMAT.group();
        ByteBuffer values = little(rows * count * columns / 2);
        for (int i = 0; i < values.capacity(); i++) {
            values.put((byte) random.nextInt(256));
        }
        ByteBuffer scales = little(groups * Short.BYTES);
        ByteBuffer biases = little(groups * Short.BYTES);
        for (int i = 0; i < groups; i++) {
            float scale = (64 + random.nextInt(64)) / 4096f; // exact in bfloat16
            scales.putShort((short) (Float.floatToIntBits(scale) >>> 16));
            biases.putShort((short) (Float.floatToIntBits(-8 * scale) >>> 16));
        }
        Piece piece = new Piece(
                append(values, FORMAT.rowBytes(columns)),
                append(scales, FORMAT.scaleRowBytes(columns)),
                append(biases, FORMAT.biasRowBytes(columns)));
        return Weight.stack(rows, columns, FORMAT, piece, count);
    }

    private Region append(ByteBuffer bytes, long rowBytes) throws IOException {
        long offset = Files.exists(file) ? Files.size(file) : 0;
        Files.write(file, bytes.array(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        return new Region(file, offset, rowBytes);
    }

    /** What the program makes of the rows, as floats; session 1 is open. */
    static List<float[]> rows(Executor executor, int activationBytes) {
        Random random = new Random(6);
        ByteBuffer in = little(ROWS * HIDDEN * activationBytes);
        for (int i = 0; i < ROWS * HIDDEN; i++) {
            float value = (random.nextInt(257) - 128) / 64f; // exact in bfloat16
            if (activationBytes == Float.BYTES) {
                in.putFloat(value);
            } else {
                in.putShort((short) (Float.floatToIntBits(value) >>> 16));
            }
        }
        Step.Entry entry = Step.Entry.ofRows(1, 0, ROWS, Step.Logits.NONE);
        ByteBuffer out = executor.run(new Step(List.of(entry), in.flip(), Set.of()), Exchange.ALONE, new Cancel())
                .activations()
                .order(ByteOrder.LITTLE_ENDIAN);
        List<float[]> rows = new ArrayList<>();
        for (int row = 0; row < ROWS; row++) {
            float[] values = new float[HIDDEN];
            for (int i = 0; i < HIDDEN; i++) {
                values[i] =
                        activationBytes == Float.BYTES ? out.getFloat() : Float.intBitsToFloat(out.getShort() << 16);
            }
            rows.add(values);
        }
        return rows;
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }
}
