package org.espalier.architecture;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;

/** Of each {@code model_type} the shortest config that is read; 4 layers of width 64. */
final class LeastConfig {

    private LeastConfig() {}

    private static final String BACKBONE = "'hidden_size':64,'num_hidden_layers':4,'num_attention_heads':4,"
            + "'vocab_size':100,'max_position_embeddings':8192,'rms_norm_eps':1e-5,";
    private static final String DENSE = BACKBONE + "'intermediate_size':128,";
    private static final String LATENT = DENSE + "'kv_lora_rank':16,'qk_nope_head_dim':8,'qk_rope_head_dim':4,"
            + "'v_head_dim':8,'n_routed_experts':8,'num_experts_per_tok':2,'n_shared_experts':1,"
            + "'moe_intermediate_size':32,'first_k_dense_replace':1,'routed_scaling_factor':2.5,";
    private static final String INDEXED = "'n_group':1,'topk_group':1,'norm_topk_prob':true,'q_lora_rank':16,"
            + "'index_topk':4,'index_n_heads':2,'index_head_dim':8,";
    private static final String GEMMA4 =
            DENSE + "'num_key_value_heads':2,'hidden_size_per_layer_input':0,"; // transformers' default is 256
    private static final String QWEN_MOE =
            DENSE + "'num_experts':8,'num_experts_per_tok':2,'moe_intermediate_size':32,";

    private static final String LINEAR = "'linear_num_key_heads':2,'linear_num_value_heads':4,'linear_key_head_dim':16,"
            + "'linear_value_head_dim':8,'linear_conv_kernel_dim':4,";
    private static final String QWEN35_MOE =
            QWEN_MOE.replace("'intermediate_size':128,", "") + LINEAR + "'shared_expert_intermediate_size':96,";

    /** Nothing but what is required. */
    static final Map<String, String> LEAST = new TreeMap<>(Map.ofEntries(
            Map.entry("gemma4", GEMMA4),
            Map.entry("gemma4_text", GEMMA4),
            Map.entry("gemma3_text", DENSE + "'num_key_value_heads':2,"),
            Map.entry("llama", DENSE),
            Map.entry(
                    "mimo_v2_flash",
                    DENSE.replace("'rms_norm_eps':1e-5,", "")
                            + "'num_key_value_heads':2,'n_routed_experts':8,'num_experts_per_tok':2,'n_group':1,"
                            + "'topk_group':1,'moe_intermediate_size':32,"),
            Map.entry("mistral", DENSE),
            Map.entry("mixtral", DENSE + "'num_local_experts':8,'num_experts_per_tok':2,"),
            Map.entry("qwen2", DENSE),
            Map.entry("qwen2_moe", QWEN_MOE + "'shared_expert_intermediate_size':96,"),
            Map.entry("qwen3", DENSE),
            Map.entry("qwen3_5", DENSE + LINEAR),
            Map.entry("qwen3_5_text", DENSE + LINEAR),
            Map.entry("qwen3_5_moe", QWEN35_MOE),
            Map.entry("qwen3_5_moe_text", QWEN35_MOE),
            Map.entry("qwen3_next", QWEN_MOE + LINEAR + "'shared_expert_intermediate_size':96,"),
            Map.entry("qwen3_moe", QWEN_MOE),
            Map.entry("olmoe", DENSE + "'num_experts':8,'num_experts_per_tok':2,"),
            Map.entry("deepseek_v2", LATENT),
            Map.entry("deepseek_v3", LATENT + "'n_group':1,'topk_group':1,'norm_topk_prob':true,"),
            Map.entry("deepseek_v32", LATENT + INDEXED),
            Map.entry("glm_moe_dsa", LATENT + INDEXED),
            Map.entry("kimi_k2", LATENT + "'n_group':1,'topk_group':1,'norm_topk_prob':true,"),
            Map.entry("kimi_k25", LATENT + "'n_group':1,'topk_group':1,'norm_topk_prob':true,"),
            Map.entry(
                    "glm4_moe",
                    DENSE + "'n_routed_experts':8,'num_experts_per_tok':2,'n_shared_experts':1,'n_group':1,"
                            + "'topk_group':1,'moe_intermediate_size':32,'first_k_dense_replace':1,"
                            + "'routed_scaling_factor':1.5,"),
            Map.entry(
                    "glm4_moe_lite", LATENT.replace("'first_k_dense_replace':1,", "") + "'n_group':1,'topk_group':1,"),
            Map.entry(
                    "minimax_m2",
                    DENSE + "'head_dim':16,'rotary_dim':8,'num_local_experts':8,'num_experts_per_tok':2,"),
            Map.entry(
                    "gpt_oss",
                    DENSE + "'num_local_experts':8,'num_experts_per_tok':2,"
                            + "'rope_scaling':{'rope_type':'yarn','factor':32,'truncate':false},")));

    /** Types that another's architecture serves. */
    static final Map<String, String> OF_OTHERS = Map.of(
            "kimi_k2",
            "deepseek_v3",
            "kimi_k25",
            "deepseek_v3",
            "gemma4_text",
            "gemma4",
            "qwen3_5_text",
            "qwen3_5",
            "qwen3_5_moe_text",
            "qwen3_5_moe");

    static ObjectNode least(String type) {
        return ConfigJson.of("{" + LEAST.get(type) + "'model_type':'" + type + "'}");
    }

    static Architecture read(String type, String changes) {
        ObjectNode json = least(type);
        json.setAll(ConfigJson.of(changes));
        return Architectures.read(json);
    }
}
