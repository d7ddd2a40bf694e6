package org.espalier.node.weights;

import org.espalier.checkpoint.Tensor;
import org.espalier.checkpoint.TensorFormat;
import org.espalier.engine.program.Region;
import org.espalier.engine.program.Weight;
import org.espalier.engine.program.WeightFormat;

/** The checkpoint's way of storing values, as engines call it. */
final class WeightFormats {

    private WeightFormats() {}

    static WeightFormat of(TensorFormat format) {
        if (format instanceof TensorFormat.Plain plain) {
            return plain(plain);
        }
        if (format instanceof TensorFormat.GgufBlock block) {
            return switch (block) {
                case Q4_0 -> WeightFormat.Block.Q4_0;
                case Q4_1 -> WeightFormat.Block.Q4_1;
                case Q8_0 -> WeightFormat.Block.Q8_0;
            };
        }
        TensorFormat.MlxAffine affine = (TensorFormat.MlxAffine) format;
        return new WeightFormat.Affine(affine.bits(), affine.group(), plain(affine.scales()));
    }

    private static WeightFormat.Plain plain(TensorFormat.Plain format) {
        return switch (format) {
            case F32 -> WeightFormat.Plain.F32;
            case F16 -> WeightFormat.Plain.F16;
            case BF16 -> WeightFormat.Plain.BF16;
        };
    }

    /** The one matrix of a tensor of two dimensions, or the one row of a vector. */
    static Weight.Piece piece(Tensor tensor) {
        return new Weight.Piece(region(tensor.values()), region(tensor.scales()), region(tensor.biases()));
    }

    private static Region region(Tensor.Extent extent) {
        return extent == null ? null : new Region(extent.file(), extent.offset(), extent.rowBytes());
    }
}
