package org.espalier.checkpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.espalier.weights.Affine;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;

/**
 * Locates one quantized module of an MLX checkpoint in its files: {@code X.weight} holds the values as one stream of bits,
 * lowest first, in words of 32; {@code X.scales} one number for each group of columns, as does {@code X.biases} in mode affine
 * (<a href="https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.quantize.html">mlx.core.quantize</a>).
 */
final class MlxQuantizedTensor {
    private static final Set<Integer> AFFINE_BITS = Set.of(2, 3, 4, 5, 6, 8);

    private final SafetensorsDirectory directory;
    private final String module;
    private final String name;
    private final String scalesName;
    private final String biasesName;
    private final MlxQuantization.Settings settings;

    MlxQuantizedTensor(SafetensorsDirectory directory, String module, MlxQuantization.Settings settings) {
        this.directory = directory;
        this.module = module;
        this.name = module + ".weight";
        this.scalesName = module + ".scales";
        this.biasesName = module + ".biases";
        this.settings = settings;
    }

    Weight read() {
        return switch (settings.mode()) {
            case "affine" -> affine();
            case "mxfp4" -> scaled(Scaled.MXFP4, 4);
            case "mxfp8" -> scaled(Scaled.MXFP8, 8);
            case "nvfp4" -> scaled(Scaled.NVFP4, 4);
            default -> throw notSupported();
        };
    }

    private CheckpointException notSupported() {
        return damaged(
                name,
                "is quantized with mode " + settings.mode() + ", " + settings.bits() + " bits and groups of "
                        + settings.group() + "; supported are affine with 2, 3, 4, 5, 6 or 8 bits, mxfp4 and mxfp8 with"
                        + " groups of 32, nvfp4 with groups of 16");
    }

    private Weight affine() {
        if (!AFFINE_BITS.contains(settings.bits())) {
            throw notSupported();
        }
        List<Integer> shape = shape();
        Element scales = directory.floats(scalesName);
        Element biases = directory.floats(biasesName);
        requirePerGroup(scalesName, directory.shape(scalesName), shape);
        requirePerGroup(biasesName, directory.shape(biasesName), shape);
        if (scales != biases) {
            throw damaged(name, "has scales of type " + scales + " and biases of type " + biases);
        }
        Affine format = new Affine(settings.bits(), settings.group(), scales);
        Region biasRows = directory.region(biasesName, format.biasRowBytes(Shapes.columns(shape)));
        return weight(shape, format, biasRows);
    }

    private Weight scaled(Scaled format, int bits) {
        if (settings.bits() != bits || settings.group() != format.group()) {
            throw notSupported();
        }
        for (String part : List.of("biases", "global_scale")) {
            if (directory.entries().containsKey(module + "." + part)) {
                throw damaged(
                        name, "has " + module + "." + part + ", which is not supported in mode " + settings.mode());
            }
        }
        List<Integer> shape = shape();
        requirePerGroup(scalesName, directory.scalesShape(scalesName, format), shape);
        return weight(shape, format, null);
    }

    private Weight weight(List<Integer> shape, WeightFormat format, Region biases) {
        int columns = Shapes.columns(shape);
        Region values = directory.region(name, format.rowBytes(columns));
        Region scales = directory.region(scalesName, format.scaleRowBytes(columns));
        return Shapes.weight(shape, format, new Piece(values, scales, biases));
    }

    /** The shape of the values, from that of the 32-bit words. */
    private List<Integer> shape() {
        SafetensorsFile.Tensor words = directory.entry(name);
        if (!words.type().equals("U32")) {
            throw damaged(name, "has scales but is of type " + words.type() + ", expected U32");
        }
        List<Integer> packed = directory.shape(name);
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

    /** Scales or biases have one number for each group of columns. */
    private void requirePerGroup(String tensor, List<Integer> found, List<Integer> shape) {
        List<Integer> expected = new ArrayList<>(shape);
        int columns = Shapes.columns(shape);
        expected.set(expected.size() - 1, columns / settings.group());
        if (columns % settings.group() != 0 || !found.equals(expected)) {
            throw damaged(
                    tensor,
                    "has the shape " + found + ", expected " + expected + " for " + shape + " with " + settings.bits()
                            + " bits and groups of " + settings.group());
        }
    }

    private CheckpointException damaged(String tensor, String what) {
        return new CheckpointException(directory.path() + ": tensor " + tensor + " " + what);
    }
}
