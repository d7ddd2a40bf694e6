package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.espalier.architecture.Architectures;
import org.espalier.config.ConfigException;
import org.espalier.fuzz.Seeds;
import org.espalier.model.Model;
import org.espalier.plan.ShardPlans;
import org.espalier.weights.Weight;
import org.espalier.weights.WeightCheck;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files with changed bytes give a result or an error of ours, nothing else. */
class HostileCheckpointTest {

    private static final byte[] VALUES = {0, 1, 0x7F, (byte) 0x80, (byte) 0xFF, '"', '9'};

    @TempDir
    private Path folder;

    private Path mlx;

    @BeforeEach
    void makeFolder() throws IOException {
        mlx = Files.createDirectory(folder.resolve("mlx"));
    }

    /** Up to four bytes are set; one file of eight is cut before. */
    private static byte[] damaged(byte[] whole, SplittableRandom random) {
        int length = random.nextInt(8) == 0 ? random.nextInt(whole.length) : whole.length;
        byte[] bytes = Arrays.copyOf(whole, length);
        for (int i = random.nextInt(5); i > 0 && length > 0; i--) {
            bytes[random.nextInt(length)] = VALUES[random.nextInt(VALUES.length)];
        }
        return bytes;
    }

    @Test
    void aDamagedGgufFile() {
        byte[] whole = GgufBuilder.llama().bytes();
        Path file = folder.resolve("model.gguf");
        Seeds.each(600, random -> opensOrRefuses(SafetensorsBuilder.write(file, damaged(whole, random))));
    }

    @Test
    void aDamagedSafetensorsFile() throws IOException {
        Files.writeString(
                mlx.resolve("config.json"),
                "{\"model_type\":\"llama\",\"hidden_size\":32,\"num_hidden_layers\":1,\"num_attention_heads\":1,"
                        + "\"vocab_size\":4,\"intermediate_size\":64,\"max_position_embeddings\":8,\"rms_norm_eps\":1e-5,"
                        + "\"quantization\":{\"group_size\":64,\"bits\":4}}");
        byte[] whole = new SafetensorsBuilder()
                .tensor("model.layers.0.a.weight", "U32", 4, 16)
                .tensor("model.layers.0.a.scales", "BF16", 4, 2)
                .tensor("model.layers.0.a.biases", "BF16", 4, 2)
                .tensor("model.layers.0.mlp.switch_mlp.up_proj.weight", "F16", 3, 2, 2)
                .bytes();
        Seeds.each(600, random -> {
            SafetensorsBuilder.write(mlx.resolve("model.safetensors"), damaged(whole, random));
            opensOrRefuses(mlx);
        });
    }

    /** Headers of files that llama.cpp's converter wrote; the damage falls into their first bytes. */
    @Test
    void aDamagedFileOfAnyArchitecture() throws IOException {
        List<byte[]> files = new ArrayList<>();
        for (String name : GGUFS) {
            files.add(Files.readAllBytes(Golden.tiny(name + "_gguf-tiny/gguf/model.gguf")));
        }
        Path file = folder.resolve("model.gguf");
        Seeds.each(600, random -> {
            byte[] whole = Seeds.pick(random, files).clone();
            byte[] header = damaged(Arrays.copyOf(whole, HEADER), random);
            System.arraycopy(header, 0, whole, 0, header.length);
            opensOrRefuses(SafetensorsBuilder.write(file, whole));
        });
    }

    private static final List<String> GGUFS =
            List.of("deepseek2", "deepseek2_kv_b", "glm4moe", "gpt-oss", "mixtral", "olmoe", "qwen2moe");

    /** Metadata and tensor infos of the tiny files lie here. */
    private static final int HEADER = 1 << 14;

    @Test
    void aDamagedFileOfBlocksAndScales() throws IOException {
        Files.writeString(
                mlx.resolve("config.json"),
                "{\"model_type\":\"llama\",\"hidden_size\":32,\"num_hidden_layers\":1,\"num_attention_heads\":1,"
                        + "\"vocab_size\":4,\"intermediate_size\":64,\"max_position_embeddings\":8,\"rms_norm_eps\":1e-5,"
                        + "\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[4,4]}}");
        byte[] whole = new SafetensorsBuilder()
                .tensor("model.layers.0.a_blocks", "U8", 2, 3, 2, 16)
                .tensor("model.layers.0.a_scales", "U8", 2, 3, 2)
                .tensor("model.layers.0.b.weight", "F8_E4M3", 6, 7)
                .tensor("model.layers.0.b.weight_scale_inv", "F32", 2, 2)
                .bytes();
        Seeds.each(600, random -> {
            SafetensorsBuilder.write(mlx.resolve("model.safetensors"), damaged(whole, random));
            opensOrRefuses(mlx);
        });
    }

    @Test
    void aDamagedFileOfMergedAndSingleExperts() throws IOException {
        Files.writeString(mlx.resolve("config.json"), "{\"model_type\":\"gpt_oss\"}");
        byte[] whole = new SafetensorsBuilder()
                .tensor("l.0.mlp.experts.gate_up_proj_blocks", "U8", 2, 4, 1, 16)
                .tensor("l.0.mlp.experts.gate_up_proj_scales", "U8", 2, 4, 1)
                .tensor("l.0.mlp.experts.gate_up_proj_bias", "BF16", 2, 4)
                .tensor("l.1.mlp.experts.gate_up_proj", "BF16", 2, 3, 4)
                .tensor("l.2.mlp.experts.0.up_proj.weight", "BF16", 2, 3)
                .tensor("l.2.mlp.experts.1.up_proj.weight", "BF16", 2, 3)
                .bytes();
        Seeds.each(600, random -> {
            SafetensorsBuilder.write(mlx.resolve("model.safetensors"), damaged(whole, random));
            try {
                weightsLieInTheirFiles(Checkpoint.open(mlx, Architectures.gguf()));
            } catch (CheckpointException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        });
    }

    @Test
    void aDamagedConfig() throws IOException {
        byte[] config = Files.readAllBytes(Golden.tiny("deepseek_v3-tiny/mlx4/config.json"));
        new SafetensorsBuilder().tensor("model.layers.0.a.weight", "F16", 4).write(mlx.resolve("model.safetensors"));
        Seeds.each(300, random -> {
            SafetensorsBuilder.write(mlx.resolve("config.json"), damaged(config, random));
            opensOrRefuses(mlx);
        });
    }

    private static void opensOrRefuses(Path path) {
        try (Model model = Model.open(path)) {
            new ShardPlans(model).sizes();
            weightsLieInTheirFiles(model.checkpoint());
        } catch (CheckpointException | ConfigException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    private static void weightsLieInTheirFiles(Checkpoint checkpoint) {
        for (String name : checkpoint.names()) {
            Weight weight = checkpoint.weight(name);
            WeightCheck.check(name, weight, file -> file.toFile().length());
        }
    }
}
