package org.espalier.engine.library;

import java.nio.file.Path;
import java.util.function.ToIntFunction;
import org.espalier.weights.Affine;
import org.espalier.weights.Block;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;

/**
 * A weight as words; of a stack every matrix is listed.
 *
 * @param index of a file
 */
record WeightWords(ToIntFunction<Path> index) {

    /** In the order of {@code enum es_format}. */
    enum FormatKind {
        PLAIN,
        BLOCK,
        AFFINE,
        SCALED
    }

    Words of(String name, Weight weight) {
        Words words = new Words().addString(name).add(weight.rows()).add(weight.columns());
        addFormat(words, weight.format())
                .addFlag(weight.transposed())
                .add(weight.firstRow())
                .add(weight.rowBlock())
                .add(weight.rowStep())
                .addFlag(weight.isPartOfRows())
                .add(weight.count());
        for (int i = 0; i < weight.count(); i++) {
            Piece piece = weight.pieces().get(i);
            addRegion(words, piece.values());
            addRegion(words, piece.scales());
            addRegion(words, piece.biases());
        }
        return words;
    }

    private static Words addFormat(Words words, WeightFormat format) {
        if (format instanceof Plain plain) {
            return words.addAll(FormatKind.PLAIN.ordinal(), plain.values().ordinal(), 0, 0);
        }
        if (format instanceof Block block) {
            return words.addAll(FormatKind.BLOCK.ordinal(), block.ordinal(), 0, 0);
        }
        if (format instanceof Affine affine) {
            return words.addAll(
                    FormatKind.AFFINE.ordinal(),
                    affine.bits(),
                    affine.group(),
                    affine.scales().ordinal());
        }
        Scaled scaled = (Scaled) format;
        return words.addAll(
                FormatKind.SCALED.ordinal(),
                scaled.values().ordinal(),
                scaled.group(),
                scaled.scales().ordinal());
    }

    private void addRegion(Words words, Region region) {
        if (region == null) {
            words.add(-1).addLong(0).addLong(0).add(1).add(0);
            return;
        }
        words.add(index.applyAsInt(region.file()))
                .addLong(region.offset())
                .addLong(region.rowBytes())
                .add(region.sharedBy())
                .add(region.skipped());
    }
}
