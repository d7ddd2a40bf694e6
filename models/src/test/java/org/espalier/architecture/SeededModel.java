package org.espalier.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import org.espalier.weights.Affine;
import org.espalier.weights.Block;
import org.espalier.weights.Element;
import org.espalier.weights.Plain;
import org.espalier.weights.Scaled;
import org.espalier.weights.WeightFormat;

/** Models of sizes that do not divide evenly: 6 heads of 64 that share 3 KV heads, in two layers; weights from a seed, in one format each. */
enum SeededModel {

    /** Expert width 320 in groups of 64; q and k normed by head. */
    AFFINE(new Affine(4, 64, Element.BF16), """
            'model_type':'qwen3_moe','hidden_size':128,'num_experts':5,'num_experts_per_tok':2,
            'moe_intermediate_size':320,'intermediate_size':192,'norm_topk_prob':true,'mlp_only_layers':[1]"""),

    /** Width 768 in blocks of 256, where the heads' 384 columns are in another format; tied embeddings, biases everywhere. */
    Q4_K(Block.Q4_K, """
            'model_type':'llama','hidden_size':256,'intermediate_size':768,'tie_word_embeddings':true,
            'attention_bias':true,'mlp_bias':true"""),

    /** Experts 768 wide in blocks of 256. */
    Q4_K_EXPERTS(Block.Q4_K, """
            'model_type':'qwen3_moe','hidden_size':256,'num_experts':5,'num_experts_per_tok':2,
            'moe_intermediate_size':768,'intermediate_size':256,'norm_topk_prob':false"""),

    /** Sinks, biases, windows; expert width 320 in groups of 32. */
    MXFP4(Scaled.MXFP4, """
            'model_type':'gpt_oss','hidden_size':128,'num_local_experts':5,'num_experts_per_tok':2,'intermediate_size':320,
            'sliding_window':4,'rope_scaling':{'rope_type':'yarn','factor':4.0,'original_max_position_embeddings':64,
            'beta_fast':32.0,'beta_slow':1.0,'truncate':false}"""),

    /** Scales for each 128 x 128, of which 320 has no whole number; a gated shared expert, 200 wide. */
    FP8(new Scaled(Element.E4M3, 128, Element.F32), """
            'model_type':'qwen2_moe','hidden_size':256,'num_experts':5,'num_experts_per_tok':2,'moe_intermediate_size':320,
            'shared_expert_intermediate_size':200,'intermediate_size':192,'decoder_sparse_step':1"""),

    /** The same scales under q and k that are normed over all heads at once, and a router with a correction. */
    FP8_NORMED(FP8.format, """
            'model_type':'minimax_m2','hidden_size':256,'num_local_experts':5,'num_experts_per_tok':2,'intermediate_size':320,
            'rotary_dim':32"""),

    /** Whole numbers; expert width 320 in groups of 32. */
    INT4(new Scaled(Element.INT4, 32, Element.BF16), AFFINE.config),

    /**
     * 5 heads of latent attention over the 3 rows that 3 index heads choose, in layers full, full, shared, full, shared; of several nodes some have
     * heads of one of these layers and none of another.
     */
    INDEXED(new Affine(4, 64, Element.BF16), Indexed.CONFIG + "'model_type':'glm_moe_dsa','index_topk_freq':2"),

    /** The same with an indexer in every layer and halves that rotate, in the format that DeepSeek publishes. */
    INDEXED_FP8(new Scaled(Element.E4M3, 128, Element.F32), Indexed.CONFIG + "'model_type':'deepseek_v32'"),

    /** Three key heads with two value heads each beside gated attention; 4 bits in groups of 32, of which a head's 48 columns are no whole number. */
    LINEAR(new Affine(4, 32, Element.BF16), """
            'model_type':'qwen3_next','hidden_size':128,'num_experts':5,'num_experts_per_tok':2,
            'moe_intermediate_size':320,'intermediate_size':192,'shared_expert_intermediate_size':160,'mlp_only_layers':[1],
            'full_attention_interval':2,'linear_num_key_heads':3,'linear_num_value_heads':6,'linear_key_head_dim':40,
            'linear_value_head_dim':48,'linear_conv_kernel_dim':4"""),

    /** The same with projections one kind after the other, 3 value heads a key head, and biggest blocks. */
    FP8_LINEAR(FP8.format, """
            'model_type':'qwen3_5','hidden_size':256,'intermediate_size':192,
            'full_attention_interval':2,'linear_num_key_heads':2,'linear_num_value_heads':6,'linear_key_head_dim':32,
            'linear_value_head_dim':64,'linear_conv_kernel_dim':3"""),

    /** Norms of 1 + w around blocks, a window in the first layer, capped logits. */
    GEMMA3(new Affine(4, 64, Element.BF16), """
            'model_type':'gemma3_text','hidden_size':128,'intermediate_size':192,'sliding_window':4,'query_pre_attn_scalar':48,
            'layer_types':['sliding_attention','full_attention'],'final_logit_softcapping':3.0"""),

    /** The second layer has wider heads, fewer KV heads and no values of its own; experts beside the MLP. */
    GEMMA4(new Affine(4, 32, Element.BF16), """
            'model_type':'gemma4','hidden_size':128,'intermediate_size':192,'sliding_window':4,'hidden_size_per_layer_input':0,
            'layer_types':['sliding_attention','full_attention'],'final_logit_softcapping':3.0,'attention_k_eq_v':true,
            'num_global_key_value_heads':2,'global_head_dim':96,'enable_moe_block':true,'num_experts':5,'top_k_experts':2,
            'moe_intermediate_size':160"""),

    /** Values 48 wide beside keys of 64; twice the KV heads and sinks in the layer with a window. */
    MIMO(new Affine(4, 32, Element.BF16), """
            'model_type':'mimo_v2_flash','hidden_size':128,'intermediate_size':192,'v_head_dim':48,'partial_rotary_factor':0.5,
            'layer_types':['full_attention','sliding_attention'],'sliding_window_size':3,'n_routed_experts':5,
            'num_experts_per_tok':2,'moe_intermediate_size':160,'n_group':1,'topk_group':1"""),

    /** As gpt-oss in bfloat16: stored transposed, so that columns are rows of the file, and gate and up interleaved in one tensor. */
    TRANSPOSED(Plain.BF16, MXFP4.config);

    private static final class Indexed {
        static final String CONFIG = "'hidden_size':128,'num_hidden_layers':5,'num_attention_heads':5,"
                + "'num_key_value_heads':5,'q_lora_rank':64,'kv_lora_rank':64,'qk_nope_head_dim':64,'qk_rope_head_dim':32,"
                + "'v_head_dim':64,'index_topk':3,'index_n_heads':3,'index_head_dim':64,'n_routed_experts':5,"
                + "'num_experts_per_tok':2,'moe_intermediate_size':192,'intermediate_size':192,'n_shared_experts':1,"
                + "'first_k_dense_replace':1,'n_group':1,'topk_group':1,'norm_topk_prob':true,'routed_scaling_factor':1.5,";
    }

    private static final String COMMON = "'num_hidden_layers':2,'num_attention_heads':6,'num_key_value_heads':3,"
            + "'head_dim':64,'vocab_size':101,'max_position_embeddings':256,'rms_norm_eps':1e-5,";

    final WeightFormat format;
    private final String config;

    SeededModel(WeightFormat format, String config) {
        this.format = format;
        this.config = config;
    }

    ObjectNode config() {
        return ConfigJson.of("{" + COMMON + config + "}");
    }

    Architecture architecture() {
        return Architectures.read(config());
    }

    SeededCheckpoint checkpoint(Path directory) {
        try {
            return new SeededCheckpoint(directory.resolve("weights.bin"), this);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
