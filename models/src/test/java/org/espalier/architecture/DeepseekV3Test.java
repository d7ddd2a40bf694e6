package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.espalier.config.ConfigException;
import org.espalier.config.RopeScaling;
import org.espalier.config.RoutedExperts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeepseekV3Test {

    private static DeepseekV3 read(String changes) {
        return (DeepseekV3) Architectures.read(ConfigJson.tiny("deepseek_v3-tiny", changes));
    }

    @Test
    void readsTheTinyModel() {
        DeepseekV3 config = read("{}");
        assertThat(config.attention().cacheWidth()).isEqualTo(64 + 32);
        assertThat(config.moe()).contains(new RoutedExperts(16, 4, 64, List.of(1, 2, 3)));
        assertThat(config.attention().positions().scaling())
                .isEqualTo(new RopeScaling.Yarn(40, 256, 32, 1, 1, 1, true));
        assertThat(config.routedScaling()).isEqualTo(2.5f);
        assertThat(config.nextTokenLayers()).isZero();
        assertThat(config.ignoredKeys()).isEmpty();
    }

    @Test
    void optionalKeysHaveTransformersDefaults() {
        ObjectNode json = ConfigJson.tiny("deepseek_v3-tiny");
        for (String key : new String[] {
            "topk_method",
            "scoring_func",
            "moe_layer_freq",
            "hidden_act",
            "attention_bias",
            "rope_theta",
            "rope_scaling",
            "num_nextn_predict_layers",
            "eos_token_id",
            "tie_word_embeddings",
            "q_lora_rank"
        }) {
            json.remove(key);
        }
        DeepseekV3 config = (DeepseekV3) Architectures.read(json);
        assertThat(config.attention().positions().theta()).isEqualTo(10_000);
        assertThat(config.attention().positions().scaling()).isEqualTo(new RopeScaling.Default());
        assertThat(config.nextTokenLayers()).isEqualTo(1);
        assertThat(config.endOfSequence()).containsExactly(1);
        assertThat(config.attention().queryRank()).isZero();
    }

    @Test
    void yarnDefaultsAreThoseOfTransformers() {
        assertThat(read("{'rope_scaling':null,'rope_parameters':{'rope_type':'yarn','rope_theta':5,'factor':2}}")
                        .attention()
                        .positions()
                        .scaling())
                .isEqualTo(new RopeScaling.Yarn(2, 10_240, 32, 1, 0, 0, true));
        // factor null: the whole context over the original one
        assertThat(read("{'rope_scaling':{'type':'yarn','factor':null,'original_max_position_embeddings':1024,"
                                + "'truncate':false,'mscale':0.5}}")
                        .attention()
                        .positions()
                        .scaling())
                .isEqualTo(new RopeScaling.Yarn(10, 1024, 32, 1, 0.5f, 0, false));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hidden_size",
                "num_hidden_layers",
                "num_attention_heads",
                "vocab_size",
                "intermediate_size",
                "max_position_embeddings",
                "rms_norm_eps",
                "kv_lora_rank",
                "qk_nope_head_dim",
                "qk_rope_head_dim",
                "v_head_dim",
                "n_routed_experts",
                "num_experts_per_tok",
                "n_shared_experts",
                "moe_intermediate_size",
                "first_k_dense_replace",
                "n_group",
                "topk_group",
                "norm_topk_prob",
                "routed_scaling_factor"
            })
    void aMissingRequiredKeyFailsByName(String key) {
        ObjectNode json = ConfigJson.tiny("deepseek_v3-tiny");
        json.remove(key);
        assertThatThrownBy(() -> Architectures.read(json))
                .isInstanceOf(ConfigException.class)
                .hasMessage("the required key " + key + " is missing");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'hidden_act':'gelu'} | hidden_act is gelu, which is not supported: expected silu",
                "{'topk_method':'greedy'} | topk_method is greedy, which is not supported: expected noaux_tc",
                "{'scoring_func':'softmax'} | scoring_func is softmax, which is not supported: expected sigmoid",
                "{'moe_layer_freq':2} | moe_layer_freq is 2, which is not supported: expected 1",
                "{'rope_interleave':false} | rope_interleave is false, which is not supported: expected true",
                "{'index_topk':2048} | index_topk is 2048, which is not supported: expected no value",
                "{'sliding_window':128} | sliding_window is 128, which is not supported: expected no value",
                "{'quantization_config':{'quant_method':'awq'}}"
                        + " | quantization_config.quant_method is awq, which is not supported: expected compressed-tensors, fp8, mxfp4",
                "{'rope_scaling':{'type':'llama3'}} | rope_scaling.rope_type is llama3, which is not supported: expected default, yarn",
                "{'rope_scaling':{'type':'yarn','factor':2,'attention_factor':1.5}}"
                        + " | rope_scaling.attention_factor is 1.5, which is not supported: expected no value",
                "{'n_group':3} | n_group is 3, expected a divisor of n_routed_experts, 16",
                "{'n_group':16} | n_group is 16, expected groups of two experts or more: the two best score a group",
                "{'topk_group':5} | topk_group is 5, expected at most n_group, 4",
                "{'num_experts_per_tok':9} | num_experts_per_tok is 9, expected at most the experts of the kept groups, 8",
                "{'first_k_dense_replace':5} | first_k_dense_replace is 5, expected a whole number from 0 to 4",
                "{'n_routed_experts':40000} | n_routed_experts is 40000, expected a whole number from 1 to 32767"
            })
    void aValueThatIsNotComputedFailsByNameAndValue(String changes, String message) {
        assertThatThrownBy(() -> read(changes))
                .isInstanceOf(ConfigException.class)
                .hasMessage(message);
    }
}
