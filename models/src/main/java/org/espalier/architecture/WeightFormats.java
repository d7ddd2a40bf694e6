package org.espalier.architecture;

import org.espalier.checkpoint.Tensor;
import org.espalier.checkpoint.TensorFormat;
import org.espalier.weights.Affine;
import org.espalier.weights.Block;
import org.espalier.weights.Element;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.WeightFormat;

/** The checkpoint's way of storing values, as engines call it. */
final class WeightFormats {

    private WeightFormats() {}

    static WeightFormat of(TensorFormat format) {
        if (format instanceof TensorFormat.Plain plain) {
            return plain(plain);
        }
        if (format instanceof TensorFormat.GgufBlock block) {
            return switch (block) {
                case Q4_0 -> Block.Q4_0;
                case Q4_1 -> Block.Q4_1;
                case Q5_0 -> Block.Q5_0;
                case Q5_1 -> Block.Q5_1;
                case Q8_0 -> Block.Q8_0;
                case Q2_K -> Block.Q2_K;
                case Q3_K -> Block.Q3_K;
                case Q4_K -> Block.Q4_K;
                case Q5_K -> Block.Q5_K;
                case Q6_K -> Block.Q6_K;
                case IQ4_NL -> Block.IQ4_NL;
                case IQ4_XS -> Block.IQ4_XS;
                case MXFP4 -> Block.MXFP4;
            };
        }
        if (format instanceof TensorFormat.Scaled scaled) {
            return new Scaled(element(scaled.values()), scaled.group(), element(scaled.scales()));
        }
        TensorFormat.MlxAffine affine = (TensorFormat.MlxAffine) format;
        return new Affine(affine.bits(), affine.group(), plain(affine.scales()).values());
    }

    private static Plain plain(TensorFormat.Plain format) {
        return switch (format) {
            case F32 -> Plain.F32;
            case F16 -> Plain.F16;
            case BF16 -> Plain.BF16;
        };
    }

    private static Element element(TensorFormat.Scaled.Element element) {
        return switch (element) {
            case E2M1 -> Element.E2M1;
            case E4M3 -> Element.E4M3;
            case E8M0 -> Element.E8M0;
            case BF16 -> Element.BF16;
            case F16 -> Element.F16;
            case F32 -> Element.F32;
        };
    }

    /** The one matrix of a tensor of two dimensions, or the one row of a vector. */
    static Piece piece(Tensor tensor) {
        return new Piece(region(tensor.values()), region(tensor.scales()), region(tensor.biases()));
    }

    private static Region region(Tensor.Extent extent) {
        return extent == null
                ? null
                : new Region(extent.file(), extent.offset(), extent.rowBytes(), extent.sharedBy(), extent.skipped());
    }
}
