package org.espalier.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Golden;
import org.espalier.checkpoint.JsonFile;
import org.espalier.model.Model;
import org.espalier.program.Cost;
import org.espalier.program.Plan;
import org.espalier.program.StepShape;
import org.espalier.slice.Member;
import org.espalier.slice.Share;
import org.espalier.slice.Slice;
import org.espalier.slice.SliceGroup;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The headers of DeepSeek-V3 as published, 671 billion values in fp8 with a scale for each 128 x 128, 90 thousand tensors in a file that
 * takes no room; and those of V3.2, which has an indexer in each layer besides.
 */
@Timeout(60)
class DeepseekV3SizeTest {

    private static final int LAYERS = 61;
    private static final int EXPERTS = 256;
    private static final String INDEXERS =
            "\"model_type\":\"deepseek_v32\",\"index_topk\":2048,\"index_n_heads\":64,\"index_head_dim\":128";

    @TempDir
    Path folder;

    private final StringBuilder header = new StringBuilder("{");
    private long end;
    /** Of the routed experts. */
    private long expertBytes;
    /** Of what belongs to no head, no width and no vocabulary: every node has it. */
    private long undividedBytes;

    /** @param indexers as config.json has them; empty for V3 */
    private void write(String indexers) throws IOException {
        config(indexers);
        plain("model.embed_tokens.weight", "BF16", 2, 129280, 7168);
        for (int layer = 0; layer < LAYERS; layer++) {
            layer("model.layers." + layer, layer < 3);
            if (!indexers.isEmpty()) {
                indexer("model.layers." + layer + ".self_attn.indexer");
            }
        }
        plain("model.norm.weight", "BF16", 2, 7168);
        plain("lm_head.weight", "BF16", 2, 129280, 7168);
        header.setCharAt(header.length() - 1, '}');
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile file =
                new RandomAccessFile(folder.resolve("model.safetensors").toFile(), "rw")) {
            file.write(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(text.length)
                    .array());
            file.write(text);
            file.setLength(Long.BYTES + text.length + end);
        }
    }

    private void indexer(String name) {
        fp8(name + ".wq_b", 64 * 128, 1536);
        fp8(name + ".wk", 128, 7168);
        plain(name + ".weights_proj.weight", "BF16", 2, 64, 7168);
        plain(name + ".k_norm.weight", "F32", 4, 128);
        plain(name + ".k_norm.bias", "F32", 4, 128);
    }

    private void config(String indexers) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode config = JsonFile.read(Golden.tiny("deepseek_v3-tiny/hf/config.json"));
        config.setAll((ObjectNode) mapper.readTree(
                "{\"vocab_size\":129280,\"hidden_size\":7168,\"intermediate_size\":18432,\"moe_intermediate_size\":2048,"
                        + "\"num_hidden_layers\":61,\"first_k_dense_replace\":3,\"num_attention_heads\":128,"
                        + "\"num_key_value_heads\":128,\"q_lora_rank\":1536,\"kv_lora_rank\":512,\"qk_nope_head_dim\":128,"
                        + "\"qk_rope_head_dim\":64,\"v_head_dim\":128,\"n_routed_experts\":256,\"num_experts_per_tok\":8,"
                        + "\"n_group\":8,\"topk_group\":4,\"quantization_config\":{\"quant_method\":\"fp8\","
                        + "\"fmt\":\"e4m3\",\"activation_scheme\":\"dynamic\",\"weight_block_size\":[128,128]}}"));
        config.setAll((ObjectNode) mapper.readTree("{" + indexers + "}"));
        mapper.writeValue(folder.resolve("config.json").toFile(), config);
    }

    private void layer(String name, boolean dense) {
        plain(name + ".input_layernorm.weight", "BF16", 2, 7168);
        plain(name + ".post_attention_layernorm.weight", "BF16", 2, 7168);
        plain(name + ".self_attn.q_a_layernorm.weight", "BF16", 2, 1536);
        plain(name + ".self_attn.kv_a_layernorm.weight", "BF16", 2, 512);
        fp8(name + ".self_attn.q_a_proj", 1536, 7168);
        fp8(name + ".self_attn.q_b_proj", 128 * 192, 1536);
        fp8(name + ".self_attn.kv_a_proj_with_mqa", 512 + 64, 7168);
        fp8(name + ".self_attn.kv_b_proj", 128 * 256, 512);
        fp8(name + ".self_attn.o_proj", 7168, 128 * 128);
        if (dense) {
            mlp(name + ".mlp", 18432);
            return;
        }
        plain(name + ".mlp.gate.weight", "BF16", 2, EXPERTS, 7168);
        plain(name + ".mlp.gate.e_score_correction_bias", "F32", 4, EXPERTS);
        mlp(name + ".mlp.shared_experts", 2048);
        long before = end;
        for (int expert = 0; expert < EXPERTS; expert++) {
            mlp(name + ".mlp.experts." + expert, 2048);
        }
        expertBytes += end - before;
    }

    private void mlp(String name, int width) {
        fp8(name + ".gate_proj", width, 7168);
        fp8(name + ".up_proj", width, 7168);
        fp8(name + ".down_proj", 7168, width);
    }

    private void fp8(String module, long rows, long columns) {
        plain(module + ".weight", "F8_E4M3", 1, rows, columns);
        plain(module + ".weight_scale_inv", "F32", 4, (rows + 127) / 128, (columns + 127) / 128);
    }

    private void plain(String name, String type, int bytes, long... shape) {
        long size = bytes;
        StringBuilder dimensions = new StringBuilder();
        for (long dimension : shape) {
            size *= dimension;
            dimensions.append(dimensions.isEmpty() ? "" : ",").append(dimension);
        }
        if (name.matches(".*(norm|embed_tokens|q_a_proj|kv_a_proj_with_mqa|mlp\\.gate|indexer)\\..*")) {
            undividedBytes += size;
        }
        header.append(String.format(
                "\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%d,%d]},",
                name, type, dimensions, end, end + size));
        end += size;
    }

    /** Heads, widths and vocabulary divide by 8, on whole blocks: 47 GB of each node's bytes are its own. Slices by columns count as copied. */
    @Test
    void isPlannedInEightSlicesOfEveryLayer() throws IOException {
        write("");
        try (Model model = Model.open(folder)) {
            requireEighths(new ShardPlans(model), 0, 7);
        }
    }

    private void requireEighths(ShardPlans plans, int... ranks) {
        List<Slice> slices = IntStream.range(0, 8)
                .mapToObj(rank -> Slice.whole(LAYERS).sharing(Share.equal(rank, 8)))
                .toList();
        SliceGroup group = new SliceGroup(slices);
        for (int rank : ranks) {
            Plan plan = plans.of(new Member(group, rank));
            assertThat(plan.residentBytes()).isEqualTo(undividedBytes + (end - undividedBytes) / 8);
        }
    }

    @Test
    void isPlannedWholeAndInShards() throws IOException {
        write("");
        try (Model model = Model.open(folder)) {
            ShardPlans plans = new ShardPlans(model);
            ModelSize size = plans.sizes();
            assertThat(size.whole().weightBytes()).isEqualTo(end);
            assertThat(size.layers().stream().mapToLong(ShardSize::weightBytes).sum())
                    .isEqualTo(end);
            assertThat(size.shard(30, 45)).isEqualTo(plans.size(30, 45));
            // 576 floats a token and layer
            assertThat(size.whole().cacheBytes()).isEqualTo(4L * 576 * LAYERS * ShardPlans.PLANNED_TOKENS);

            Plan whole = plans.whole();
            assertThat(whole.ranges(0).byFile().values())
                    .singleElement()
                    .satisfies(ranges -> assertThat(ranges).hasSize(1));
            // 8 of 256 experts in each layer, all else but the embedding, of which a row of 7168 values
            Cost token = whole.cost(new StepShape(1, 8, 1));
            long embedding = 2L * 129280 * 7168;
            assertThat(token.weightBytes()).isEqualTo(end - expertBytes + expertBytes / 32 - embedding + 2 * 7168);
            // 37 billion active values, of which the embedding's 0.9 are not computed with
            assertThat(token.operations() / 2e9).isBetween(36.0, 37.0);
        }
    }

    /**
     * In each of 61 layers a latent of 576 values a token and a key of 128 for the indexer, which every node of a group has whole, so that all choose
     * the same rows.
     */
    @Test
    void v32KeepsAKeyForTheIndexerBesideEachLatent() throws IOException {
        write(INDEXERS);
        try (Model model = Model.open(folder)) {
            ShardPlans plans = new ShardPlans(model);
            Plan whole = plans.whole();
            assertThat(whole.residentBytes()).isEqualTo(end);
            assertThat(whole.cacheValuesPerRow()).isEqualTo((576 + 128) * LAYERS);
            assertThat(plans.size(30, 45).cacheBytes()).isEqualTo(4L * (576 + 128) * 15 * ShardPlans.PLANNED_TOKENS);
            // up to 2048 rows all are seen; beyond, the indexer reads every key and attention 2048 latents
            assertThat(whole.cost(new StepShape(1, 8, 2048)).cacheValues()).isEqualTo(LAYERS * 2048L * 576);
            assertThat(whole.cost(new StepShape(1, 8, 100_000)).cacheValues())
                    .isEqualTo(LAYERS * (100_000L * 128 + 2048L * 576));
            requireEighths(plans, 7);
        }
    }
}
