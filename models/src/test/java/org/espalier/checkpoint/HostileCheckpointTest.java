package org.espalier.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.espalier.model.ConfigException;
import org.espalier.model.Model;
import org.espalier.model.ModelSizes;

/** Files with changed bytes give a result or an error of ours, nothing else. */
class HostileCheckpointTest {

    /** What happens to a file: bytes set, then cut. */
    record Damage(List<Integer> places, List<Byte> values, int cut) {
        byte[] on(byte[] whole) {
            byte[] bytes = Arrays.copyOf(whole, cut % 8 == 0 ? cut % whole.length : whole.length);
            for (int i = 0; i < Math.min(places.size(), values.size()) && bytes.length > 0; i++) {
                bytes[places.get(i) % bytes.length] = values.get(i);
            }
            return bytes;
        }
    }

    private static Path folder;

    @BeforeContainer
    static void makeFolder() throws IOException {
        folder = Files.createTempDirectory("hostile");
        Files.createDirectory(folder.resolve("mlx"));
    }

    @AfterContainer
    static void removeFolder() throws IOException {
        for (String file : List.of("mlx/model.safetensors", "mlx/config.json", "mlx", "model.gguf", "")) {
            Files.deleteIfExists(folder.resolve(file));
        }
    }

    @Provide
    Arbitrary<Damage> damage() {
        return Combinators.combine(
                        Arbitraries.integers().between(0, 1 << 20).list().ofMaxSize(4),
                        Arbitraries.of((byte) 0, (byte) 1, (byte) 0x7F, (byte) 0x80, (byte) 0xFF, (byte) '"', (byte)
                                        '9')
                                .list()
                                .ofMaxSize(4),
                        Arbitraries.integers().between(0, 1 << 20))
                .as(Damage::new);
    }

    @Property(tries = 600)
    void aDamagedGgufFile(@ForAll("damage") Damage damage) {
        opensOrRefuses(SafetensorsBuilder.write(
                folder.resolve("model.gguf"), damage.on(GgufBuilder.llama().bytes())));
    }

    @Property(tries = 600)
    void aDamagedSafetensorsFile(@ForAll("damage") Damage damage) throws IOException {
        Path mlx = folder.resolve("mlx");
        Files.writeString(
                mlx.resolve("config.json"),
                "{\"model_type\":\"llama\",\"hidden_size\":32,\"num_hidden_layers\":1,\"num_attention_heads\":1,"
                        + "\"vocab_size\":4,\"intermediate_size\":64,\"max_position_embeddings\":8,\"rms_norm_eps\":1e-5,"
                        + "\"quantization\":{\"group_size\":64,\"bits\":4}}");
        SafetensorsBuilder builder = new SafetensorsBuilder()
                .tensor("model.layers.0.a.weight", "U32", 4, 16)
                .tensor("model.layers.0.a.scales", "BF16", 4, 2)
                .tensor("model.layers.0.a.biases", "BF16", 4, 2)
                .tensor("model.layers.0.mlp.switch_mlp.up_proj.weight", "F16", 3, 2, 2);
        SafetensorsBuilder.write(mlx.resolve("model.safetensors"), damage.on(builder.bytes()));
        opensOrRefuses(mlx);
    }

    /** Headers of files that llama.cpp's converter wrote; the damage falls into their first bytes. */
    @Property(tries = 600)
    void aDamagedFileOfAnyArchitecture(@ForAll("damage") Damage damage, @ForAll("ggufs") String name)
            throws IOException {
        byte[] whole = Files.readAllBytes(Golden.tiny(name + "_gguf-tiny/gguf/model.gguf"));
        byte[] header = damage.on(Arrays.copyOf(whole, HEADER));
        System.arraycopy(header, 0, whole, 0, header.length);
        opensOrRefuses(SafetensorsBuilder.write(folder.resolve("model.gguf"), whole));
    }

    /** Metadata and tensor infos of the tiny files lie here. */
    private static final int HEADER = 1 << 14;

    @Provide
    Arbitrary<String> ggufs() {
        return Arbitraries.of("deepseek2", "deepseek2_kv_b", "glm4moe", "gpt-oss", "mixtral", "olmoe", "qwen2moe");
    }

    @Property(tries = 600)
    void aDamagedFileOfBlocksAndScales(@ForAll("damage") Damage damage) throws IOException {
        Path hf = folder.resolve("mlx");
        Files.writeString(
                hf.resolve("config.json"),
                "{\"model_type\":\"llama\",\"hidden_size\":32,\"num_hidden_layers\":1,\"num_attention_heads\":1,"
                        + "\"vocab_size\":4,\"intermediate_size\":64,\"max_position_embeddings\":8,\"rms_norm_eps\":1e-5,"
                        + "\"quantization_config\":{\"quant_method\":\"fp8\",\"weight_block_size\":[4,4]}}");
        SafetensorsBuilder builder = new SafetensorsBuilder()
                .tensor("model.layers.0.a_blocks", "U8", 2, 3, 2, 16)
                .tensor("model.layers.0.a_scales", "U8", 2, 3, 2)
                .tensor("model.layers.0.b.weight", "F8_E4M3", 6, 7)
                .tensor("model.layers.0.b.weight_scale_inv", "F32", 2, 2);
        SafetensorsBuilder.write(hf.resolve("model.safetensors"), damage.on(builder.bytes()));
        opensOrRefuses(hf);
    }

    @Property(tries = 300)
    void aDamagedConfig(@ForAll("damage") Damage damage) throws IOException {
        Path mlx = folder.resolve("mlx");
        byte[] config = Files.readAllBytes(Golden.tiny("deepseek_v3-tiny/mlx4/config.json"));
        SafetensorsBuilder.write(mlx.resolve("config.json"), damage.on(config));
        new SafetensorsBuilder().tensor("model.layers.0.a.weight", "F16", 4).write(mlx.resolve("model.safetensors"));
        opensOrRefuses(mlx);
    }

    private static void opensOrRefuses(Path path) {
        try (Model model = Model.open(path)) {
            ModelSizes.of(model);
            for (String name : model.checkpoint().names()) {
                Tensor tensor = model.checkpoint().tensor(name);
                for (Tensor.Extent extent : new Tensor.Extent[] {tensor.values(), tensor.scales(), tensor.biases()}) {
                    if (extent != null) {
                        assertThat(extent.offset() + extent.bytes((long) tensor.rows() * tensor.count()))
                                .isLessThanOrEqualTo(extent.file().toFile().length());
                    }
                }
            }
        } catch (CheckpointException | ConfigException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }
}
