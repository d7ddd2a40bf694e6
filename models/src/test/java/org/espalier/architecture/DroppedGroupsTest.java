package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.espalier.checkpoint.SafetensorsFile;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.model.Model;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Experts of a dropped group have minus infinity as choice score, as in DeepSeek's own code and transformers. With 0.0, as in other
 * software, they would be chosen wherever the correction biases make the kept ones' scores negative.
 */
class DroppedGroupsTest {

    @TempDir
    private Path folder;

    /** The same number off every choice score changes neither which groups are kept nor which of their experts are the best. */
    @Test
    void aConstantInAllCorrectionBiasesChangesNothing() throws IOException {
        GoldenModel golden = GoldenModel.tiny("deepseek_v3-tiny/hf");
        int changed = 0;
        try (Stream<Path> files = Files.list(golden.path())) {
            for (Path file : files.toList()) {
                Path copy = Files.copy(file, folder.resolve(file.getFileName()));
                changed += copy.toString().endsWith(".safetensors") ? addToCorrectionBiases(copy, -2) : 0;
            }
        }
        assertThat(changed).isEqualTo(3); // layers; sigmoids are below 1, so that all scores are negative now
        GoldenModel.Golden prompt = golden.prompts().get(0);
        int[] expected = prompt.ids("greedy_ids");
        try (Model model = Model.open(folder);
                Run run = new Run(
                        model, new ReferenceEngine(), model.architecture().layers())) {
            float[] logits = run.step(prompt.ids("prompt_ids"));
            assertThat(run.greedy(logits, expected.length)).containsExactly(expected);
        }
    }

    /** How many there were. */
    private static int addToCorrectionBiases(Path file, float number) throws IOException {
        int changed = 0;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            for (var entry : SafetensorsFile.read(file).entries().entrySet()) {
                if (entry.getKey().endsWith(".e_score_correction_bias")) {
                    assertThat(entry.getValue().type()).isEqualTo("F32");
                    long begin = entry.getValue().begin();
                    ByteBuffer bytes = ByteBuffer.allocate(
                                    (int) (entry.getValue().end() - begin))
                            .order(ByteOrder.LITTLE_ENDIAN);
                    channel.read(bytes, begin);
                    for (int at = 0; at < bytes.capacity(); at += Float.BYTES) {
                        bytes.putFloat(at, bytes.getFloat(at) + number);
                    }
                    channel.write(bytes.rewind(), begin);
                    changed++;
                }
            }
        }
        return changed;
    }
}
