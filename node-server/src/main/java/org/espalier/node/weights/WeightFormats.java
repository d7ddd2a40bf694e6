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
                case Q5_0 -> WeightFormat.Block.Q5_0;
                case Q5_1 -> WeightFormat.Block.Q5_1;
                case Q8_0 -> WeightFormat.Block.Q8_0;
                case Q2_K -> WeightFormat.Block.Q2_K;
                case Q3_K -> WeightFormat.Block.Q3_K;
                case Q4_K -> WeightFormat.Block.Q4_K;
                case Q5_K -> WeightFormat.Block.Q5_K;
                case Q6_K -> WeightFormat.Block.Q6_K;
                case IQ4_NL -> WeightFormat.Block.IQ4_NL;
                case IQ4_XS -> WeightFormat.Block.IQ4_XS;
                case MXFP4 -> WeightFormat.Block.MXFP4;
            };
        }
        if (format instanceof TensorFormat.Scaled scaled) {
            return new WeightFormat.Scaled(element(scaled.values()), scaled.group(), element(scaled.scales()));
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

    private static WeightFormat.Scaled.Element element(TensorFormat.Scaled.Element element) {
        return switch (element) {
            case E2M1 -> WeightFormat.Scaled.Element.E2M1;
            case E4M3 -> WeightFormat.Scaled.Element.E4M3;
            case E8M0 -> WeightFormat.Scaled.Element.E8M0;
            case BF16 -> WeightFormat.Scaled.Element.BF16;
            case F16 -> WeightFormat.Scaled.Element.F16;
            case F32 -> WeightFormat.Scaled.Element.F32;
        };
    }

    /** The one matrix of a tensor of two dimensions, or the one row of a vector. */
    static Weight.Piece piece(Tensor tensor) {
        return new Weight.Piece(region(tensor.values()), region(tensor.scales()), region(tensor.biases()));
    }

    private static Region region(Tensor.Extent extent) {
        return extent == null
                ? null
                : new Region(extent.file(), extent.offset(), extent.rowBytes(), extent.sharedBy(), extent.skipped());
    }
}
