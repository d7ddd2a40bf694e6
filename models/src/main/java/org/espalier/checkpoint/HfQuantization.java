package org.espalier.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;

/**
 * Weights of a Hugging Face checkpoint whose scales are tensors of their own, seen as one weight:
 *
 * <ul>
 *   <li>gpt-oss's MXFP4: {@code X_blocks} U8 [..., rows, groups, 16], the first value of two in the low nibble, and {@code X_scales} U8
 *       [..., rows, groups];
 *   <li>compressed-tensors' whole numbers of 4 bits: {@code X.weight_packed} I32 [rows, columns / 8], the first value of eight in the lowest
 *       bits, each with 8 added, {@code X.weight_scale} [rows, groups], and {@code X.weight_shape}, which says nothing more;
 *   <li>DeepSeek's fp8: {@code X.weight} F8_E4M3 [rows, columns] and {@code X.weight_scale_inv}, a factor for each block of {@code
 *       quantization_config.weight_block_size}, of which the last of a row or column may be partial; fused experts are a stack of both.
 * </ul>
 */
final class HfQuantization {
    static final String BLOCKS = "_blocks";
    static final String SCALES = "_scales";
    static final String FACTORS = "_scale_inv";
    static final String PACKED = "_packed";
    private static final String SCALE = "_scale";
    private static final String SHAPE = "_shape";
    private static final int MXFP4_BLOCK_BYTES = 16;

    private static final List<String> READ = List.of("mxfp4", "fp8", "compressed-tensors");

    private final SafetensorsDirectory directory;
    private final JsonNode config;

    /** @param config the content of config.json */
    HfQuantization(SafetensorsDirectory directory, ObjectNode config) {
        this.directory = directory;
        this.config = config.path("quantization_config");
    }

    /** Whether the tensor is a part of another weight. */
    boolean isPart(String name) {
        return name.endsWith(SCALES) && holds(withoutEnd(name, SCALES) + BLOCKS)
                || name.endsWith(SCALE) && holds(withoutEnd(name, SCALE) + PACKED)
                || repeatsShape(name)
                || name.endsWith(FACTORS) && holds(withoutEnd(name, FACTORS));
    }

    /** Whether the tensor holds what the header says of the weight's shape, which nobody reads. */
    boolean repeatsShape(String name) {
        return name.endsWith(SHAPE) && holds(withoutEnd(name, SHAPE) + PACKED);
    }

    /** The name of the weight that the tensor is a part of. */
    String published(String name) {
        if (name.endsWith(PACKED) && holds(withoutEnd(name, PACKED) + SCALE)) {
            return withoutEnd(name, PACKED);
        }
        boolean pair = name.endsWith(BLOCKS) && holds(withoutEnd(name, BLOCKS) + SCALES);
        return pair ? withoutEnd(name, BLOCKS) : name;
    }

    private boolean holds(String name) {
        return directory.entries().containsKey(name);
    }

    private static String withoutEnd(String name, String end) {
        return name.substring(0, name.length() - end.length());
    }

    /** For the message that a tensor is missing: how the file names its quantization, where it is not supported. */
    String hint() {
        String method = config.path("quant_method").asText("");
        return method.isEmpty() || READ.contains(method)
                ? ""
                : ": the checkpoint is quantized with " + method
                        + "; supported are plain floats, mxfp4, fp8 with weight_block_size, and int4 of compressed-tensors";
    }

    Weight weight(String name) {
        if (!holds(name) && holds(name + BLOCKS)) {
            return mxfp4(name);
        }
        if (!holds(name) && holds(name + PACKED)) {
            return int4(name);
        }
        if (directory.entry(name).type().equals("F8_E4M3")) {
            return fp8(name);
        }
        return directory.plain(name);
    }

    private Weight mxfp4(String name) {
        String type = directory.entry(name + BLOCKS).type();
        List<Integer> packed = directory.shape(name + BLOCKS);
        List<Integer> scales = directory.scalesShape(name + SCALES, Scaled.MXFP4);
        int last = packed.size() - 1;
        boolean paired = last >= 1 && packed.subList(0, last).equals(scales);
        if (!type.equals("U8") || packed.get(last) != MXFP4_BLOCK_BYTES || !paired) {
            throw new CheckpointException(directory.path() + ": tensor " + name + BLOCKS + " is " + type + " " + packed
                    + " and its scales are " + scales + ", expected U8 [..., " + MXFP4_BLOCK_BYTES
                    + "] and the same shape without " + MXFP4_BLOCK_BYTES);
        }
        List<Long> values =
                new ArrayList<>(directory.entry(name + BLOCKS).shape().subList(0, last));
        values.set(last - 1, values.get(last - 1) * Scaled.MXFP4.group());
        List<Integer> shape = Shapes.of(directory.path() + ": tensor " + name, values);
        int columns = Shapes.columns(shape);
        Piece first = new Piece(
                directory.region(name + BLOCKS, Scaled.MXFP4.rowBytes(columns)),
                directory.region(name + SCALES, Scaled.MXFP4.scaleRowBytes(columns)),
                null);
        return Shapes.weight(shape, Scaled.MXFP4, first);
    }

    private Weight int4(String name) {
        String type = directory.entry(name + PACKED).type();
        List<Integer> packed = directory.shape(name + PACKED);
        List<Integer> scales = directory.shape(name + SCALE);
        boolean matrices =
                packed.size() == 2 && scales.size() == 2 && packed.get(0).equals(scales.get(0));
        long columns = matrices ? packed.get(1) * (long) Integer.SIZE / Element.INT4.bits() : 0;
        if (!type.equals("I32") || !matrices || columns % scales.get(1) != 0) {
            throw new CheckpointException(directory.path() + ": tensor " + name + PACKED + " is " + type + " " + packed
                    + " and its scales are " + scales + ", expected I32 [rows, columns / 8] and [rows, groups]");
        }
        List<Integer> shape = Shapes.of(directory.path() + ": tensor " + name, List.of((long) packed.get(0), columns));
        Scaled format = new Scaled(Element.INT4, shape.get(1) / scales.get(1), directory.floats(name + SCALE));
        requireGroup(name, format.group());
        Region values = directory.region(name + PACKED, format.rowBytes(shape.get(1)));
        Region factors = directory.region(name + SCALE, format.scaleRowBytes(shape.get(1)));
        return Shapes.weight(shape, format, new Piece(values, factors, null));
    }

    private void requireGroup(String name, int group) {
        List<Integer> sizes = new ArrayList<>();
        config.path("config_groups")
                .forEach(scheme ->
                        sizes.add(scheme.path("weights").path("group_size").asInt()));
        if (!sizes.contains(group)) {
            throw new CheckpointException(directory.path() + ": tensor " + name + SCALE + " has a scale for each "
                    + group + " values, expected one for each of " + sizes
                    + ", group_size in quantization_config.config_groups of config.json");
        }
    }

    private Weight fp8(String name) {
        String factors = name + FACTORS;
        if (!holds(factors)) {
            throw new CheckpointException(directory.path() + ": tensor " + name + " is of type F8_E4M3 and there is no "
                    + factors + ", expected one: fp8 is read with a factor for each block of values only");
        }
        int blockRows = blockSize(name, 0);
        Scaled format = new Scaled(Element.E4M3, blockSize(name, 1), directory.floats(factors));
        List<Integer> shape = directory.shape(name);
        int last = shape.size() - 1;
        boolean matrix = shape.size() == 2;
        boolean stack = shape.size() == 3 && shape.get(1) % blockRows == 0; // blocks do not reach into the next matrix
        if (!matrix && !stack) {
            throw new CheckpointException(directory.path() + ": tensor " + name
                    + " is of type F8_E4M3 and has the shape " + shape
                    + ", expected a matrix, or a stack of them with a"
                    + " multiple of " + blockRows + " rows");
        }
        int columns = shape.get(last);
        List<Integer> expected = new ArrayList<>(shape);
        expected.set(last - 1, (int) ((shape.get(last - 1) + blockRows - 1L) / blockRows));
        expected.set(last, format.groups(columns));
        if (!directory.shape(factors).equals(expected)) {
            throw new CheckpointException(directory.path() + ": tensor " + factors + " has the shape "
                    + directory.shape(factors) + ", expected " + expected + " for " + shape + " in blocks of "
                    + blockRows + " x " + format.group());
        }
        Region rows = directory.region(factors, format.scaleRowBytes(columns));
        Region shared = new Region(rows.file(), rows.offset(), rows.rowBytes(), blockRows, 0);
        return Shapes.weight(shape, format, new Piece(directory.region(name, format.rowBytes(columns)), shared, null));
    }

    private int blockSize(String name, int dimension) {
        JsonNode sizes = config.path("weight_block_size");
        JsonNode size = sizes.path(dimension);
        if (sizes.size() != 2 || !size.isInt() || size.intValue() <= 0) {
            throw new CheckpointException(directory.path() + ": tensor " + name
                    + " is of type F8_E4M3, but quantization_config.weight_block_size of config.json is "
                    + (sizes.isMissingNode() ? "missing" : sizes.toString()) + ", expected two whole numbers");
        }
        return size.intValue();
    }
}
