package org.espalier.quantize;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.espalier.EspalierException;
import org.espalier.checkpoint.PresentRanges;
import org.espalier.model.Model;
import org.espalier.weights.Matrix;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightReader;

/**
 * Writes an MLX checkpoint from a Hugging Face one. Rows go from the source through one small buffer a thread to their place in the
 * new files, so memory does not grow with the model. Everything is written beside the target and renamed at the end: a run that is cut off
 * leaves no folder that looks complete.
 */
public final class Quantizer {

    /** As mlx-lm splits them. */
    private static final long FILE_BYTES = 5L << 30;

    /** Floats that one thread has in hand. */
    private static final int CHUNK = 1 << 18;

    private final ConversionPlan plan;
    private final WeightReader reader = WeightReader.streaming();
    private final AtomicLong done = new AtomicLong();
    private final LongConsumer progress;
    private final Thread caller = Thread.currentThread();

    private Quantizer(ConversionPlan plan, LongConsumer progress) {
        this.plan = plan;
        this.progress = progress;
    }

    /**
     * @param target does not exist yet
     * @param settings how to quantize
     * @param progress told the bytes of the new tensors that are written, of {@link Settings#total}
     * @throws EspalierException if the source cannot be quantized, the target cannot be written, or the thread is interrupted, which it stays;
     *     then nothing is left
     */
    public static void convert(Path source, Path target, Settings settings, Progress progress) {
        try (Model model = Model.open(source)) {
            ConversionPlan plan = ConversionPlan.of(model, new AffineGroups(settings.bits(), settings.group()));
            PresentRanges.require(
                    plan.tensors().stream().collect(Collectors.toMap(Converted::name, Converted::source)));
            long total = plan.tensors().stream()
                    .flatMap(tensor -> entries(tensor).stream())
                    .mapToLong(SafetensorsWriter.Tensor::bytes)
                    .sum();
            Quantizer quantizer = new Quantizer(plan, bytes -> progress.written(bytes, total));
            try (WeightReader reader = quantizer.reader;
                    CheckpointFolder folder = CheckpointFolder.beside(target, total)) {
                quantizer.write(folder);
                folder.finish(model, plan);
            }
        } catch (IOException | RuntimeException e) { // an interrupt closes the file that is being read or written
            if (Thread.currentThread().isInterrupted()) {
                throw new EspalierException("quantizing was interrupted: nothing is left of " + target, e);
            }
            if (e instanceof IOException disk) {
                throw new EspalierException(
                        "cannot write " + target + ": " + EspalierException.reason(disk, target), e);
            }
            throw e instanceof UncheckedIOException ? new EspalierException(e.getMessage(), e) : (RuntimeException) e;
        }
    }

    /** Told from any thread. */
    public interface Progress {
        void written(long bytes, long total);
    }

    /** @param group columns that share a scale and a bias */
    public record Settings(int bits, int group) {}

    private void write(CheckpointFolder folder) throws IOException {
        List<List<SafetensorsWriter.Tensor>> together =
                plan.tensors().stream().map(Quantizer::entries).toList();
        List<List<SafetensorsWriter.Tensor>> files = SafetensorsWriter.files(together, FILE_BYTES);
        Map<String, Converted> byEntry = new HashMap<>();
        for (int i = 0; i < together.size(); i++) {
            byEntry.put(together.get(i).get(0).name(), plan.tensors().get(i));
        }
        for (int i = 0; i < files.size(); i++) {
            try (SafetensorsWriter file = folder.weights(i, files.size(), files.get(i))) {
                for (SafetensorsWriter.Tensor entry : files.get(i)) {
                    Converted tensor = byEntry.get(entry.name());
                    if (tensor != null) {
                        convert(tensor, file);
                    }
                }
            }
        }
    }

    /** What one tensor becomes, the values first. */
    private static List<SafetensorsWriter.Tensor> entries(Converted tensor) {
        List<Integer> shape = tensor.shape();
        long values = shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        if (tensor instanceof Converted.Plain plain) {
            FloatType type = plain.type();
            return List.of(new SafetensorsWriter.Tensor(plain.name(), type.name(), shape, values * type.bytes()));
        }
        int columns = shape.get(shape.size() - 1);
        if (tensor instanceof Converted.Repacked) {
            Scaled format = Scaled.MXFP4;
            return List.of(
                    new SafetensorsWriter.Tensor(
                            tensor.name() + ".weight",
                            "U32",
                            withColumns(shape, columns * format.values().bits() / Integer.SIZE),
                            values * format.values().bits() / Byte.SIZE),
                    new SafetensorsWriter.Tensor(
                            tensor.name() + ".scales",
                            "U8",
                            withColumns(shape, columns / format.group()),
                            values / format.group()));
        }
        Converted.Quantized quantized = (Converted.Quantized) tensor;
        AffineGroups groups = quantized.groups();
        List<Integer> words = withColumns(shape, columns * groups.bits() / Integer.SIZE);
        List<Integer> perGroup = withColumns(shape, columns / groups.group());
        FloatType type = quantized.type();
        long groupBytes = values / groups.group() * type.bytes();
        return List.of(
                new SafetensorsWriter.Tensor(
                        tensor.name() + ".weight", "U32", words, values / Byte.SIZE * groups.bits()),
                new SafetensorsWriter.Tensor(tensor.name() + ".scales", type.name(), perGroup, groupBytes),
                new SafetensorsWriter.Tensor(tensor.name() + ".biases", type.name(), perGroup, groupBytes));
    }

    private static List<Integer> withColumns(List<Integer> shape, int columns) {
        List<Integer> changed = new ArrayList<>(shape);
        changed.set(changed.size() - 1, columns);
        return changed;
    }

    private void convert(Converted tensor, SafetensorsWriter file) {
        Weight source = tensor.source();
        Matrix rows = reader.open(tensor.name(), source);
        if (source.transposed()) { // few and small: the halves of a latent projection
            for (int index = 0; index < source.count(); index++) {
                write(tensor, file, (long) index * source.rows(), rows.decode(index));
            }
            return;
        }
        int chunk = Math.max(1, CHUNK / source.columns());
        int perMatrix = (source.rows() + chunk - 1) / chunk;
        IntStream.range(0, Math.multiplyExact(source.count(), perMatrix))
                .parallel()
                .forEach(part -> {
                    checkGoesOn();
                    int first = part % perMatrix * chunk;
                    Chunk rowsOfPart = new Chunk(part / perMatrix, first, Math.min(chunk, source.rows() - first));
                    if (tensor instanceof Converted.Repacked) {
                        repack(tensor.name(), rows, rowsOfPart, file);
                    } else {
                        long from = (long) rowsOfPart.index * source.rows() + first;
                        write(tensor, file, from, rowsOfPart.read(rows));
                    }
                });
    }

    private void checkGoesOn() {
        if (caller.isInterrupted()) {
            throw new CancellationException();
        }
    }

    /** Rows {@code first} to {@code first + count} of matrix {@code index}. */
    private record Chunk(int index, int first, int count) {
        float[][] read(Matrix rows) {
            float[][] values = new float[count][rows.weight().columns()];
            for (int row = 0; row < count; row++) {
                rows.decodeRow(index, first + row, values[row]);
            }
            return values;
        }
    }

    private void repack(String name, Matrix rows, Chunk chunk, SafetensorsWriter file) {
        ByteArrayOutputStream values = new ByteArrayOutputStream();
        ByteArrayOutputStream scales = new ByteArrayOutputStream();
        for (int row = chunk.first; row < chunk.first + chunk.count; row++) {
            byte[][] stored = rows.storedRow(chunk.index, row);
            values.writeBytes(stored[0]);
            scales.writeBytes(stored[1]);
        }
        long at = (long) chunk.index * rows.weight().rows() + chunk.first;
        file.write(name + ".weight", at * (values.size() / chunk.count), values.toByteArray(), values.size());
        file.write(name + ".scales", at * (scales.size() / chunk.count), scales.toByteArray(), scales.size());
        progress.accept(done.addAndGet(values.size() + scales.size()));
    }

    /** @param first of the rows, counted through all matrices */
    private void write(Converted tensor, SafetensorsWriter file, long first, float[][] rows) {
        long written = tensor instanceof Converted.Quantized quantized
                ? writeQuantized(quantized, file, first, rows)
                : writePlain((Converted.Plain) tensor, file, first, rows);
        progress.accept(done.addAndGet(written));
    }

    private static long writePlain(Converted.Plain tensor, SafetensorsWriter file, long first, float[][] rows) {
        int columns = rows[0].length;
        for (float[] row : rows) {
            for (int i = 0; i < columns && tensor.plus() != 0; i++) {
                row[i] = tensor.type().round(row[i]) + tensor.plus();
            }
        }
        byte[] bytes = floats(tensor.type(), rows, columns);
        file.write(tensor.name(), first * columns * tensor.type().bytes(), bytes, bytes.length);
        return bytes.length;
    }

    private static long writeQuantized(Converted.Quantized tensor, SafetensorsWriter file, long first, float[][] rows) {
        AffineGroups groups = tensor.groups();
        FloatType type = tensor.type();
        int columns = rows[0].length;
        int perRow = columns / groups.group();
        int packedRow = groups.packedBytes(columns);
        byte[] packed = new byte[rows.length * packedRow];
        float[][] scales = new float[rows.length][perRow];
        float[][] biases = new float[rows.length][perRow];
        for (int row = 0; row < rows.length; row++) {
            for (int i = 0; i < columns; i++) {
                rows[row][i] = type.round(rows[row][i]);
            }
            groups.quantize(rows[row], packed, row * packedRow, scales[row], biases[row]);
        }
        file.write(tensor.name() + ".weight", first * packedRow, packed, packed.length);
        byte[] scaleBytes = floats(type, scales, perRow);
        byte[] biasBytes = floats(type, biases, perRow);
        long at = first * perRow * type.bytes();
        file.write(tensor.name() + ".scales", at, scaleBytes, scaleBytes.length);
        file.write(tensor.name() + ".biases", at, biasBytes, biasBytes.length);
        return (long) packed.length + scaleBytes.length + biasBytes.length;
    }

    private static byte[] floats(FloatType type, float[][] rows, int columns) {
        byte[] bytes = new byte[rows.length * columns * type.bytes()];
        int at = 0;
        for (float[] row : rows) {
            for (float value : row) {
                type.put(value, bytes, at);
                at += type.bytes();
            }
        }
        return bytes;
    }
}
