package org.espalier.engine.library;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineOptions.KvType;
import org.espalier.engine.EngineOptions.Preparation;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.ForwardingProvider;
import org.espalier.program.Program;
import org.espalier.weights.Affine;
import org.espalier.weights.Block;
import org.espalier.weights.Element;
import org.espalier.weights.Plain;
import org.espalier.weights.Scaled;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightFormat;

/** The engine on MLX: Metal on a Mac. Where MLX has no GPU it computes on the processor, for tests, slowly; it is chosen by name only. */
public final class MlxProvider implements ForwardingProvider {

    private static final MlxProvider MLX = new MlxProvider();

    private static final Set<Integer> BITS = Set.of(2, 3, 4, 5, 6, 8);
    private static final Set<Integer> GROUPS = Set.of(32, 64, 128);
    /** Of which each block becomes a group of MLX's with the same numbers. Lists, for hashing a record is slow at the start of a process. */
    private static final List<Block> BLOCKS =
            List.of(Block.Q4_0, Block.Q4_1, Block.Q5_0, Block.Q5_1, Block.Q8_0, Block.MXFP4);

    private static final List<Scaled> SCALED = List.of(Scaled.MXFP4, Scaled.MXFP8, Scaled.NVFP4);

    private final LibraryProvider library = new LibraryProvider("mlx", MlxFiles::open);

    private MlxProvider() {}

    /** The one of this process: a library is loaded once. */
    public static MlxProvider mlx() {
        return MLX;
    }

    @Override
    public EngineProvider provider() {
        return library;
    }

    @Override
    public boolean onlyByName() {
        return true;
    }

    @Override
    public Optional<String> refusal(Program program, EngineOptions options) {
        if (options.kvType() == KvType.Q8) {
            return Optional.of("it keeps KV caches as f32 or f16, not as q8");
        }
        if (options.preparations().contains(Preparation.LOCK_MEMORY)) {
            return Optional.of("it cannot lock weights in memory");
        }
        return program.weights().entrySet().stream()
                .filter(weight -> !computes(weight.getValue()))
                .map(MlxProvider::refusal)
                .findFirst();
    }

    @Override
    public Engine start() {
        return library.start(this);
    }

    private static String refusal(Map.Entry<String, Weight> weight) {
        return "weight " + weight.getKey() + " has the format "
                + weight.getValue().format().title()
                + ", with which MLX does not compute: the cpu engine does";
    }

    /** What is a vector is decoded at load, from any format. */
    private static boolean computes(Weight weight) {
        return weight.rows() == 1 && weight.count() == 1 && weight.format() instanceof Plain
                || weight.columns() == 1
                || computes(weight.format()) && fits(weight);
    }

    private static boolean computes(WeightFormat format) {
        if (format instanceof Affine affine) {
            return BITS.contains(affine.bits()) && GROUPS.contains(affine.group());
        }
        if (format instanceof Scaled scaled) {
            boolean int4 = scaled.values() == Element.INT4
                    && GROUPS.contains(scaled.group())
                    && scaled.scales().bits() >= 16;
            return int4 || SCALED.contains(scaled);
        }
        return format instanceof Plain || format instanceof Block block && BLOCKS.contains(block);
    }

    /** Whole groups, which MLX asks for. */
    private static boolean fits(Weight weight) {
        int granularity = weight.format().granularity();
        int kept = weight.transposed() ? weight.rows() : weight.columns();
        boolean begins = !weight.transposed() || weight.rowStep() == 1 && weight.firstRow() % granularity == 0;
        return weight.format() instanceof Plain || kept % granularity == 0 && begins;
    }
}
