package org.espalier.node.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.reference.ReferenceProvider;
import org.espalier.program.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the engine compares its kernels on: a result that is wrong has to be another. */
class ProbeModelTest {

    @TempDir
    Path folder;

    @Test
    void theExpertsOfAMixtureAddWhatIsNeitherZeroNorBoundless() throws IOException {
        try (ProbeModel model = new ProbeModel(folder.resolve("weights"));
                Engine engine = new ReferenceProvider().start()) {
            float[] x = new float[ProbeModel.HIDDEN];
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) Math.sin(i * i);
            }
            float[] y = run(engine, model.mixture(1), x);
            double length = 0;
            for (int i = 0; i < x.length; i++) {
                length += (y[i] - x[i]) * (y[i] - x[i]);
            }
            assertThat(Math.sqrt(length / x.length)).isBetween(0.01, 10.0);
        }
    }

    @Test
    void noTwoExpertsAreTheSame() throws IOException {
        Path path = folder.resolve("weights");
        int expert = ProbeModel.HIDDEN * 1024 / 2; // bytes of 4-bit values
        try (ProbeModel model = new ProbeModel(path)) {
            model.mixture(1);
        }
        Set<Integer> seen = new HashSet<>();
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            byte[] begin = new byte[64];
            for (int i = 0; i < 64; i++) {
                file.seek((long) i * expert); // gates come first
                file.readFully(begin);
                seen.add(Arrays.hashCode(begin));
            }
        }
        assertThat(seen).hasSize(64);
    }

    @Test
    void theWeightsOfAnExpertLieAroundZero() throws IOException {
        Path path = folder.resolve("weights");
        try (ProbeModel model = new ProbeModel(path)) {
            model.mixture(1);
        }
        int groups = 1024 * ProbeModel.HIDDEN / 64 * 64; // of all gates
        long scales = 64L * 1024 * ProbeModel.HIDDEN / 2;
        double scale = meanOfBfloat16s(path, scales, groups);
        double bias = meanOfBfloat16s(path, scales + 2L * groups, groups);
        assertThat(scale).isBetween(1.0 / 256, 1.0 / 128);
        assertThat(7.5 * scale + bias).isCloseTo(0, within(0.01 * scale));
    }

    private static double meanOfBfloat16s(Path path, long offset, int count) throws IOException {
        byte[] bytes = new byte[2 * count];
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "r")) {
            file.seek(offset);
            file.readFully(bytes);
        }
        ByteBuffer values = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Float.intBitsToFloat(values.getShort() << 16);
        }
        return sum / count;
    }

    private static float[] run(Engine engine, Program program, float[] x) {
        try (LoadedProgram loaded = LoadedProgram.load(engine, program, EngineOptions.FLOAT32, Loading.quietly())) {
            ByteBuffer rows = ByteBuffer.allocateDirect(x.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            rows.asFloatBuffer().put(x);
            loaded.open(1, 1, RouterEdits.NONE);
            Step.Entry entry = Step.Entry.ofRows(1, 0, 1, Step.Logits.NONE);
            float[] y = new float[x.length];
            loaded.run(new Step(List.of(entry), rows, Set.of()), Exchange.ALONE, new Cancel())
                    .activations()
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(y);
            return y;
        }
    }
}
