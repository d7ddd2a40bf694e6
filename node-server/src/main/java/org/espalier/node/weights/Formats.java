package org.espalier.node.weights;

import org.espalier.checkpoint.Tensor;
import org.espalier.checkpoint.TensorFormat;
import org.espalier.engine.program.Region;
import org.espalier.engine.program.WeightFormat;

/** A checkpoint's storage types as the engines name them. */
final class Formats {

    private Formats() {}

    static WeightFormat of(TensorFormat format) {
        if (format instanceof TensorFormat.Plain plain) {
            return WeightFormat.Plain.valueOf(plain.name());
        }
        if (format instanceof TensorFormat.GgufBlock block) {
            return WeightFormat.Block.valueOf(block.name());
        }
        TensorFormat.MlxAffine affine = (TensorFormat.MlxAffine) format;
        return new WeightFormat.Affine(
                affine.bits(),
                affine.group(),
                WeightFormat.Plain.valueOf(affine.scales().name()));
    }

    /** Null for null. */
    static Region region(Tensor.Extent extent) {
        return extent == null ? null : new Region(extent.file(), extent.offset(), extent.rowBytes());
    }
}
