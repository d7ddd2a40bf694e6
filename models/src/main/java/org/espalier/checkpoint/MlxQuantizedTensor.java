package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Reads how one quantized module of an MLX checkpoint lies in its files: {@code X.weight} holds the values as one stream of bits,
 * lowest first, in words of 32; {@code X.scales} one number for each group of columns, as does {@code X.biases} in mode affine
 * (<a href="https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.quantize.html">mlx.core.quantize</a>).
 */
final class MlxQuantizedTensor {
    private static final Set<Integer> AFFINE_BITS = Set.of(2, 3, 4, 5, 6, 8);

    private final SafetensorsDirectory directory;
    private final String module;
    private final String name;
    private final MlxQuantization.Settings settings;

    MlxQuantizedTensor(SafetensorsDirectory directory, String module, MlxQuantization.Settings settings) {
        this.directory = directory;
        this.module = module;
        this.name = module + ".weight";
        this.settings = settings;
    }

    Tensor read() {
        return switch (settings.mode()) {
            case "affine" -> affine();
            case "mxfp4" -> scaled(TensorFormat.Scaled.MXFP4, 4);
            case "mxfp8" -> scaled(TensorFormat.Scaled.MXFP8, 8);
            case "nvfp4" -> scaled(TensorFormat.Scaled.NVFP4, 4);
            default -> throw notComputed();
        };
    }

    private CheckpointException notComputed() {
        return damaged(
                name,
                "is quantized with mode " + settings.mode() + ", " + settings.bits() + " bits and groups of "
                        + settings.group() + "; read are affine with 2, 3, 4, 5, 6 or 8 bits, mxfp4 and mxfp8 with"
                        + " groups of 32, nvfp4 with groups of 16");
    }

    private Tensor affine() {
        if (!AFFINE_BITS.contains(settings.bits())) {
            throw notComputed();
        }
        List<Integer> shape = shape();
        Tensor scales = perGroup(directory.plain(module + ".scales"), shape);
        Tensor biases = perGroup(directory.plain(module + ".biases"), shape);
        if (scales.format() != biases.format()) {
            throw damaged(name, "has scales of type " + scales.format() + " and biases of type " + biases.format());
        }
        var numbers = (TensorFormat.Plain) scales.format();
        var format = new TensorFormat.MlxAffine(settings.bits(), settings.group(), numbers);
        return new Tensor(name, shape, format, values(shape, format), scales.values(), biases.values());
    }

    private Tensor scaled(TensorFormat.Scaled format, int bits) {
        if (settings.bits() != bits || settings.group() != format.group()) {
            throw notComputed();
        }
        for (String part : List.of("biases", "global_scale")) {
            if (directory.entries().containsKey(module + "." + part)) {
                throw damaged(
                        name, "has " + module + "." + part + ", which is not computed with in mode " + settings.mode());
            }
        }
        List<Integer> shape = shape();
        Tensor scales = perGroup(directory.bytes(module + ".scales", format), shape);
        return new Tensor(name, shape, format, values(shape, format), scales.values(), null);
    }

    /** Of the values, from that of the words. */
    private List<Integer> shape() {
        SafetensorsFile.Entry words = directory.entry(name);
        if (!words.type().equals("U32")) {
            throw damaged(name, "has scales but is of type " + words.type() + ", expected U32");
        }
        List<Integer> packed = Shapes.of(directory.path() + ": tensor " + name, words.shape());
        List<Long> wide =
                new ArrayList<>(packed.stream().map(Integer::longValue).toList());
        long rowBits = wide.get(wide.size() - 1) * Integer.SIZE;
        if (rowBits % settings.bits() != 0) {
            throw damaged(
                    name,
                    "has the shape " + packed + " of 32-bit words, expected rows of whole values of " + settings.bits()
                            + " bits");
        }
        wide.set(wide.size() - 1, rowBits / settings.bits());
        return Shapes.of(directory.path() + ": tensor " + name, wide);
    }

    private Tensor.Extent values(List<Integer> shape, TensorFormat format) {
        SafetensorsFile.Entry words = directory.entry(name);
        return new Tensor.Extent(words.file(), words.begin(), format.rowBytes(shape.get(shape.size() - 1)));
    }

    /** Scales or biases, checked to have one number for each group of columns. */
    private Tensor perGroup(Tensor tensor, List<Integer> shape) {
        List<Integer> expected = new ArrayList<>(shape);
        int columns = shape.get(shape.size() - 1);
        expected.set(expected.size() - 1, columns / settings.group());
        if (columns % settings.group() != 0 || !tensor.shape().equals(expected)) {
            throw damaged(
                    tensor.name(),
                    "has the shape " + tensor.shape() + ", expected " + expected + " for " + shape + " with "
                            + settings.bits() + " bits and groups of " + settings.group());
        }
        return tensor;
    }

    private CheckpointException damaged(String tensor, String what) {
        return new CheckpointException(directory.path() + ": tensor " + tensor + " " + what);
    }
}
