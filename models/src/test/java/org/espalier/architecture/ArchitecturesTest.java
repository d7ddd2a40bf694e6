package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.espalier.architecture.LeastConfig.LEAST;
import static org.espalier.architecture.LeastConfig.OF_OTHERS;
import static org.espalier.architecture.LeastConfig.least;
import static org.espalier.architecture.LeastConfig.read;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.config.ConfigException;
import org.espalier.config.GroupLimit;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.Positions;
import org.espalier.config.RopeScaling;
import org.espalier.config.RoutedExperts;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every architecture's config: what it needs, what it refuses, and what its defaults are. */
class ArchitecturesTest {

    static Stream<String> types() {
        return LEAST.keySet().stream();
    }

    @Test
    void whatIsSaidToBeServedIsRead() {
        assertThat(Architectures.modelTypes()).containsExactlyElementsOf(LEAST.keySet());
    }

    @ParameterizedTest
    @MethodSource("types")
    void theLeastIsEnough(String type) {
        Architecture config = Architectures.read(least(type));
        assertThat(config.modelType()).isEqualTo(OF_OTHERS.getOrDefault(type, type));
        assertThat(config.layers()).isEqualTo(4);
        assertThat(config.hidden()).isEqualTo(64);
        assertThat(config.ignoredKeys()).isEmpty();
        List<Integer> routed = config.moe().map(RoutedExperts::layers).orElse(List.of());
        if (LEAST.get(type).contains("n_shared_experts") || type.startsWith("mimo")) {
            assertThat(routed).containsExactly(1, 2, 3);
        } else {
            assertThat(routed).hasSize(LEAST.get(type).contains("experts") ? 4 : 0);
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void eachRequiredKeyIsMissedByName(String type) {
        List<String> keys = new ArrayList<>();
        least(type).fieldNames().forEachRemaining(keys::add);
        for (String key : keys) {
            ObjectNode json = least(type);
            json.remove(key);
            assertThatThrownBy(() -> Architectures.read(json))
                    .as(type + " without " + key)
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining(key);
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void otherActivationsAreRefused(String type) {
        String computed = type.startsWith("gemma") ? "gelu_pytorch_tanh" : "silu";
        assertThatThrownBy(() -> read(type, "{'hidden_act':'gelu'}"))
                .isInstanceOf(ConfigException.class)
                .hasMessage("hidden_act is gelu, which is not supported: expected " + computed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "mixtral | {'num_experts_per_tok':9} | num_experts_per_tok is 9, expected at most num_local_experts, 8",
                "olmoe | {'clip_qkv':8.0} | clip_qkv is 8.0, which is not supported: expected no value",
                "deepseek_v2 | {'norm_topk_prob':true} | norm_topk_prob is true, which is not supported: expected no value",
                "deepseek_v2 | {'topk_method':'noaux_tc'}"
                        + " | topk_method is noaux_tc, which is not supported: expected greedy, group_limited_greedy",
                "deepseek_v2 | {'scoring_func':'sigmoid'} | scoring_func is sigmoid, which is not supported: expected softmax",
                "glm4_moe | {'partial_rotary_factor':1.5} | partial_rotary_factor is 1.5, expected whole pairs",
                "glm4_moe_lite | {'mlp_layer_types':['dense']} | mlp_layer_types is [\"dense\"], expected one for each of 4 layers",
                "glm4_moe_lite | {'rope_parameters':{'partial_rotary_factor':0.5}} | partial_rotary_factor is 0.5, which is not supported: expected 1",
                "glm4_moe_lite | {'partial_rotary_factor':0.5} | partial_rotary_factor is 0.5, which is not supported: expected 1",
                "glm4_moe_lite | {'rope_interleave':false} | rope_interleave is false, which is not supported: expected true",
                "minimax_m2 | {'attn_type_list':[1,1,0,1]}"
                        + " | attn_type_list is [1,1,0,1], which is not supported: expected a list of 1",
                "minimax_m2 | {'use_qk_norm':false} | use_qk_norm is false, which is not supported: expected true",
                "minimax_m2 | {'layernorm_mlp_beta':0.5} | layernorm_mlp_beta is 0.5, which is not supported: expected 1",
                "minimax_m2 | {'shared_intermediate_size':64}"
                        + " | shared_intermediate_size is 64, which is not supported: expected 0",
                "mimo_v2_flash | {'swa_num_attention_heads':8} | swa_num_attention_heads is 8, which is not supported: expected 4",
                "mimo_v2_flash | {'hybrid_layer_pattern':[0,1]}"
                        + " | hybrid_layer_pattern is [0,1], expected 0 or 1 for each of 4 layers",
                "mimo_v2_flash | {'n_shared_experts':1} | n_shared_experts is 1, which is not supported: expected no value",
                "gemma4 | {'hidden_size_per_layer_input':8} | hidden_size_per_layer_input is 8, which is not supported:"
                        + " expected 0, no embeddings of each layer",
                "gemma4 | {'per_layer_config':{'1':{'head_dim':48},'3':{'head_dim':64}}}"
                        + " | per_layer_config is {\"1\":{\"head_dim\":48},\"3\":{\"head_dim\":64}}, expected the same for each of the layers [3],"
                        + " and no others",
                "gemma4 | {'num_kv_shared_layers':2} | num_kv_shared_layers is 2, which is not supported: expected 0",
                "gemma4 | {'use_bidirectional_attention':'all'}"
                        + " | use_bidirectional_attention is all, which is not supported: expected vision",
                "gemma3_text | {'hidden_activation':'silu'}"
                        + " | hidden_activation is silu, which is not supported: expected gelu_pytorch_tanh",
                "gemma3_text | {'attn_logit_softcapping':50.0}"
                        + " | attn_logit_softcapping is 50.0, which is not supported: expected no value",
                "gemma3_text | {'use_bidirectional_attention':true}"
                        + " | use_bidirectional_attention is true, which is not supported: expected no value",
                "gpt_oss | {'layer_types':['full_attention']}"
                        + " | layer_types is [\"full_attention\"], expected one for each of 4 layers",
                "gpt_oss | {'layer_types':['chunked_attention']}"
                        + " | layer_types is [\"chunked_attention\"], expected a list of full_attention, sliding_attention",
                "qwen3_next | {'linear_num_value_heads':3}"
                        + " | linear_num_value_heads is 3, expected a multiple of linear_num_key_heads, 2",
                "qwen3_next | {'linear_conv_kernel_dim':1}"
                        + " | linear_conv_kernel_dim is 1, expected a whole number from 2 to 64",
                "qwen3_next | {'layer_types':['full_attention']}"
                        + " | layer_types is [\"full_attention\"], expected one for each of 4 layers",
                "qwen3_next | {'layer_types':{'0':'full_attention'}} | layer_types is {\"0\":\"full_attention\"}, expected a list",
                "qwen3_5 | {'full_attention_interval':1} | full_attention_interval is 1, expected some layers of linear attention",
                "qwen3_5 | {'linear_key_head_dim':8192,'linear_value_head_dim':8192,'linear_num_value_heads':4096}"
                        + " | linear_value_head_dim is 8192, expected a state of at most 268435456 values in all heads",
                "minimax_m2 | {'attn_type_list':0} | attn_type_list is 0, expected a list",
                "gemma4 | {'rope_parameters':{'rope_type':'yarn','factor':40}} | rope_parameters is"
                        + " {\"rope_type\":\"yarn\",\"factor\":40}, expected an object for full_attention and one for sliding_attention",
                "qwen3_next | {'layer_types':['mamba']}"
                        + " | layer_types is [\"mamba\"], expected a list of linear_attention, full_attention",
                "qwen3_next | {'attention_bias':true} | attention_bias is true, which is not supported: expected no value",
                "qwen3_5 | {'attn_output_gate':false} | attn_output_gate is false, which is not supported: expected true",
                "qwen3_5_moe | {'mamba_ssm_dtype':'bfloat16'}"
                        + " | mamba_ssm_dtype is bfloat16, which is not supported: expected float32",
                "qwen3 | {'partial_rotary_factor':0.5} | partial_rotary_factor is 0.5, which is not supported: expected 1"
            })
    void aValueThatIsNotComputedFailsByNameAndValue(String type, String changes, String message) {
        assertThatThrownBy(() -> read(type, changes))
                .isInstanceOf(ConfigException.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // transformers' default where the key is absent, none where it is null
                "mistral | {} | 4096 4096 4096 4096",
                "mistral | {'sliding_window':null} | 0 0 0 0",
                "mistral | {'sliding_window':16} | 16 16 16 16",
                "mistral | {'sliding_window':8192} | 0 0 0 0",
                "mixtral | {} | 0 0 0 0",
                "mixtral | {'sliding_window':16} | 16 16 16 16",
                "qwen2 | {'sliding_window':16,'max_window_layers':3} | 0 0 0 0",
                "qwen2 | {'use_sliding_window':true,'sliding_window':16,'max_window_layers':3} | 0 0 0 16",
                "qwen3 | {'use_sliding_window':true,'sliding_window':16,"
                        + "'layer_types':['sliding_attention','full_attention','full_attention','full_attention']}"
                        + " | 16 0 0 0",
                "qwen2_moe | {'use_sliding_window':true,'sliding_window':16,'max_window_layers':3} | 16 0 16 0",
                "qwen2_moe | {'use_sliding_window':false,'sliding_window':0,"
                        + "'layer_types':['full_attention','full_attention','full_attention','full_attention']} | 0 0 0 0",
                "mixtral | {'sliding_window':0} | 0 0 0 0",
                "qwen3_moe | {'use_sliding_window':true,'sliding_window':16} | 16 16 16 16",
                "gemma3_text | {} | 4096 4096 4096 4096",
                "gemma3_text | {'sliding_window':16,'sliding_window_pattern':2} | 16 0 16 0",
                "gpt_oss | {} | 128 0 128 0",
                "gpt_oss | {'sliding_window':16} | 16 0 16 0"
            })
    void windowsOfEachLayer(String type, String changes, String windows) {
        Architecture config = read(type, changes);
        List<Integer> expected =
                Arrays.stream(windows.split(" ")).map(Integer::valueOf).toList();
        assertThat(attention(config).windows()).isEqualTo(expected);
    }

    private static GroupedAttentionConfig attention(Architecture config) {
        return (GroupedAttentionConfig) config.attention();
    }

    @Test
    void defaultsAreThoseOfTransformers() {
        assertThat(((Qwen3) read("qwen3", "{}")).attention().headWidth()).isEqualTo(128);
        assertThat(((Qwen3Moe) read("qwen3_moe", "{}")).attention().headWidth()).isEqualTo(16);
        assertThat(((Mixtral) read("mixtral", "{}")).attention().positions().theta())
                .isEqualTo(1_000_000);
        GptOss gpt = (GptOss) read("gpt_oss", "{}");
        assertThat(gpt.attention().positions())
                .isEqualTo(new Positions(64, 150_000, new RopeScaling.Yarn(32, 8192, 32, 1, 0, 0, false)));
        assertThat(gpt.swigluAlpha()).isEqualTo(1.702f);
        assertThat(gpt.swigluLimit()).isEqualTo(7);
        assertThat(((Glm4Moe) read("glm4_moe", "{}")).attention().positions().dimensions())
                .isEqualTo(8);
        assertThat(((Qwen2Moe) read("qwen2_moe", "{}")).qkvBias()).isTrue();
    }

    @Test
    void gemma3TurnsLayersWithAWindowAtABaseOfTheirOwnInBothSpellings() {
        Gemma3 least = (Gemma3) read("gemma3_text", "{}");
        assertThat(least.attention().positions()).isEqualTo(new Positions(256, 1_000_000, new RopeScaling.Default()));
        assertThat(least.sliding().positions()).isEqualTo(new Positions(256, 10_000, new RopeScaling.Default()));
        assertThat(least.attention().scale()).isEqualTo(1 / 16f);
        assertThat(least.slidingLayers()).containsExactly(0, 1, 2, 3);
        assertThat(least.tiedEmbeddings()).isTrue();
        assertThat(least.endOfSequence()).containsExactly(1);
        Gemma3 four = (Gemma3) read(
                "gemma3_text",
                "{'rope_theta':7,'rope_local_base_freq':5,'rope_scaling':{'rope_type':'linear','factor':8.0}}");
        Gemma3 five = (Gemma3) read(
                "gemma3_text",
                "{'rope_parameters':{'full_attention':{'rope_theta':7,'rope_type':'linear','factor':8.0},"
                        + "'sliding_attention':{'rope_theta':5,'rope_type':'default'}}}");
        assertThat(five).isEqualTo(four);
        assertThat(five.attention().positions()).isEqualTo(new Positions(256, 7, new RopeScaling.Linear(8)));
        assertThat(five.sliding().positions()).isEqualTo(new Positions(256, 5, new RopeScaling.Default()));
    }

    @Test
    void mimosLayersAreOfTwoKinds() {
        MimoV2Flash least = (MimoV2Flash) read("mimo_v2_flash", "{}");
        assertThat(least.attention().positions()).isEqualTo(new Positions(64, 5_000_000, new RopeScaling.Default()));
        assertThat(least.sliding().positions()).isEqualTo(new Positions(64, 10_000, new RopeScaling.Default()));
        assertThat(List.of(least.attention().kvHeads(), least.sliding().kvHeads()))
                .containsExactly(2, 4);
        assertThat(List.of(least.sliding().headWidth(), least.sliding().valueWidth()))
                .containsExactly(192, 128);
        assertThat(least.slidingLayers()).containsExactly(1, 2, 3).isEqualTo(least.sinks());
        assertThat(least.sliding().windows()).containsExactly(0, 129, 129, 129);
        assertThat(least.valueScale()).isEqualTo(0.707f);
        MimoV2Flash published = (MimoV2Flash) read(
                "mimo_v2_flash",
                "{'hybrid_layer_pattern':[0,1,1,0],'moe_layer_freq':[0,0,1,1],'sliding_window_size':16,'rope_theta':7,"
                        + "'swa_rope_theta':5,'partial_rotary_factor':0.5,'swa_num_key_value_heads':1,"
                        + "'attention_value_scale':null,'add_swa_attention_sink_bias':false}");
        assertThat(published.sliding().windows()).containsExactly(0, 17, 17, 0);
        assertThat(published.experts().layers()).containsExactly(2, 3);
        assertThat(published.attention().positions()).isEqualTo(new Positions(96, 7, new RopeScaling.Default()));
        assertThat(published.sliding().positions()).isEqualTo(new Positions(96, 5, new RopeScaling.Default()));
        assertThat(published.sliding().kvHeads()).isEqualTo(1);
        assertThat(published.valueScale()).isEqualTo(1);
        assertThat(published.sinks()).isEmpty();
    }

    @Test
    void gemma4sLayersWithoutAWindowHaveOtherHeads() {
        Gemma4 least = (Gemma4) read("gemma4", "{'num_hidden_layers':7,'num_global_key_value_heads':1}");
        assertThat(least.slidingLayers()).containsExactly(0, 1, 2, 3, 4);
        assertThat(least.attention())
                .isEqualTo(new GroupedAttentionConfig(
                        4,
                        2,
                        512,
                        512,
                        1,
                        new Positions(512, 1_000_000, new RopeScaling.Proportional(64, 1)),
                        List.of(512, 512, 512, 512, 512, 0, 0)));
        assertThat(least.sliding().positions()).isEqualTo(new Positions(256, 10_000, new RopeScaling.Default()));
        Gemma4 large = (Gemma4) read(
                "gemma4",
                "{'attention_k_eq_v':true,'num_global_key_value_heads':1,'global_head_dim':64,'head_dim':32,"
                        + "'enable_moe_block':true,'num_experts':8,'top_k_experts':2,'moe_intermediate_size':16,"
                        + "'layer_types':['sliding_attention','full_attention','sliding_attention','sliding_attention'],"
                        + "'rope_parameters':{'full_attention':{'rope_type':'proportional','partial_rotary_factor':0.5,"
                        + "'rope_theta':7},'sliding_attention':{'rope_type':'default','rope_theta':5}}}");
        assertThat(large.slidingLayers()).as("the last has none").containsExactly(0, 2);
        assertThat(List.of(large.attention().kvHeads(), large.sliding().kvHeads()))
                .containsExactly(1, 2);
        assertThat(large.attention().positions()).isEqualTo(new Positions(64, 7, new RopeScaling.Proportional(16, 1)));
        assertThat(large.sliding().positions()).isEqualTo(new Positions(32, 5, new RopeScaling.Default()));
        assertThat(large.moe()).contains(new RoutedExperts(8, 2, 16, List.of(0, 1, 2, 3)));
        Gemma4 saved = (Gemma4) read(
                "gemma4", "{'per_layer_config':{'3':{'head_dim':48,'num_key_value_heads':1}},'attention_k_eq_v':true}");
        assertThat(List.of(saved.attention().headWidth(), saved.attention().kvHeads()))
                .as("as transformers 5 saves them")
                .containsExactly(48, 1);
    }

    @Test
    void partOfAHeadTurnsInBothSpellings() {
        Positions four = ((Glm4Moe) read("glm4_moe", "{'partial_rotary_factor':0.25,'rope_theta':7}"))
                .attention()
                .positions();
        Positions five = ((Glm4Moe)
                        read("glm4_moe", "{'rope_parameters':{'partial_rotary_factor':0.25,'rope_theta':7}}"))
                .attention()
                .positions();
        assertThat(five).isEqualTo(four).isEqualTo(new Positions(4, 7, new RopeScaling.Default()));
    }

    @Test
    void anotherTypeIsRefusedWithThoseThatAreServed() {
        assertThatThrownBy(() -> Architectures.read(ConfigJson.of("{'model_type':'mamba'}")))
                .isInstanceOf(ConfigException.class)
                .hasMessage("model_type mamba is not supported; supported are: "
                        + String.join(", ", Architectures.modelTypes()));
    }

    @ParameterizedTest
    @CsvSource({"nemotron_h,Mamba-2 layers", "deepseek_v4,hyper-connections"})
    void aTypeThatIsKnownIsRefusedWithWhatIsMissing(String type, String missing) {
        assertThatThrownBy(() -> Architectures.read(ConfigJson.of("{'model_type':'" + type + "'}")))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("model_type " + type + " is not supported, because it has ")
                .hasMessageContaining(missing);
    }

    private static Architecture readNested(String outside, String inside) {
        ObjectNode text = least("kimi_k2");
        text.setAll(ConfigJson.of(inside));
        ObjectNode json = ConfigJson.of("{'model_type':'kimi_k25','vision_config':{'hidden_size':8}}");
        json.setAll(ConfigJson.of(outside));
        json.set("text_config", text);
        return Architectures.read(json);
    }

    /** As Kimi K2.5 is published; text_config has it there. */
    private static final String INT4 =
            "{'quantization_config':{'quant_method':'compressed-tensors','format':'pack-quantized',"
                    + "'ignore':['lm_head','re:.*self_attn.*'],'kv_cache_scheme':null,'sparsity_config':{},'quantization_status':'compressed',"
                    + "'config_groups':{'group_0':{'input_activations':null,'output_activations':null,'targets':['Linear'],"
                    + "'weights':{'actorder':null,'block_structure':null,'dynamic':false,'group_size':32,'num_bits':4,"
                    + "'observer':'minmax','observer_kwargs':{},'strategy':'group','symmetric':true,'type':'int'}}}}}";

    @Test
    void expertsOfFourBitsAreRead() {
        assertThat(readNested("{}", INT4)).isEqualTo(read("kimi_k2", "{}"));
        assertThat(read("kimi_k2", INT4)).isEqualTo(read("kimi_k2", "{}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'format':'pack-quantized' | 'format':'float-quantized'"
                        + " | format is float-quantized, which is not supported: expected pack-quantized",
                "'kv_cache_scheme':null | 'transform_config':{'a':1}"
                        + " | transform_config is {\"a\":1}, which is not supported: expected no keys in it",
                "'kv_cache_scheme':null | 'kv_cache_scheme':{'num_bits':8}"
                        + " | kv_cache_scheme is {\"num_bits\":8}, which is not supported: expected no value",
                "'num_bits':4 | 'num_bits':8"
                        + " | config_groups.group_0.weights.num_bits is 8, which is not supported: expected 4",
                "'symmetric':true | 'symmetric':false"
                        + " | config_groups.group_0.weights.symmetric is false, which is not supported: expected true",
                "'strategy':'group' | 'strategy':'channel'"
                        + " | config_groups.group_0.weights.strategy is channel, which is not supported: expected group",
                "'actorder':null | 'actorder':'group'"
                        + " | config_groups.group_0.weights.actorder is \"group\", which is not supported: expected no value",
                "'input_activations':null | 'input_activations':{'num_bits':8} | config_groups.group_0.input_activations is"
                        + " {\"num_bits\":8}, which is not supported: expected no value",
                "'type':'int' | 'type':'float'"
                        + " | config_groups.group_0.weights.type is float, which is not supported: expected int"
            })
    void otherSchemesOfCompressedTensorsAreRefused(String scheme, String other, String message) {
        assertThatThrownBy(() -> readNested("{}", INT4.replace(scheme, other)))
                .isInstanceOf(ConfigException.class)
                .hasMessage("quantization_config." + message);
    }

    @Test
    void theTextPartOfANestedConfigIsRead() {
        assertThat(readNested("{'hidden_size':8,'image_token_id':3}", "{}"))
                .as("what is outside concerns other parts")
                .isEqualTo(read("kimi_k2", "{}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | {'eos_token_id':[5,6],'tie_word_embeddings':true} | 5 6 | true",
                "{'eos_token_id':7} | {'eos_token_id':5,'tie_word_embeddings':true} | 7 | true",
                "{'tie_word_embeddings':false} | {'tie_word_embeddings':true} | 1 | false",
                "{'tie_word_embeddings':true,'eos_token_id':null} | {'eos_token_id':5} | 5 | true"
            })
    void someKeysOutsideApplyToTheText(String outside, String inside, String endOfSequence, boolean tied) {
        Architecture config = readNested(outside, inside);
        assertThat(config.endOfSequence())
                .containsExactlyInAnyOrderElementsOf(Stream.of(endOfSequence.split(" "))
                        .map(Integer::valueOf)
                        .toList());
        assertThat(config.tiedEmbeddings()).isEqualTo(tied);
    }

    @Test
    void aTextPartOfAnotherTypeIsRefused() {
        assertThatThrownBy(() -> readNested("{}", "{'model_type':'llama'}"))
                .isInstanceOf(ConfigException.class)
                .hasMessage("text_config.model_type is llama, which is not supported in a model of type kimi_k25:"
                        + " expected deepseek_v3 or kimi_k2 or kimi_k25");
    }

    @Test
    void glmsLayersWithExpertsAreThoseItNames() {
        assertThat(read("glm4_moe_lite", "{'first_k_dense_replace':3}")
                        .experts()
                        .layers())
                .containsExactly(1, 2, 3);
        assertThat(read("glm4_moe_lite", "{'mlp_layer_types':['sparse','dense','dense','sparse']}")
                        .experts()
                        .layers())
                .containsExactly(0, 3);
    }

    @Test
    void minimaxRotatesPartOfAHeadInBothSpellings() {
        Positions eight = new Positions(8, 5_000_000, new RopeScaling.Default());
        assertThat(((MiniMaxM2) read("minimax_m2", "{}")).attention().positions())
                .isEqualTo(eight);
        assertThat(((MiniMaxM2) read("minimax_m2", "{'rope_parameters':{'partial_rotary_factor':0.25}}"))
                        .attention()
                        .positions()
                        .dimensions())
                .as("transformers' own spelling counts more")
                .isEqualTo(4);
    }

    @Test
    void qwensExpertsAreCountedUnderBothNames() {
        ObjectNode json = least("qwen3_moe").put("num_local_experts", 6);
        json.remove("num_experts");
        assertThat(Architectures.read(json).moe().orElseThrow().count()).isEqualTo(6);
    }

    @Test
    void someLayersOfQwenHaveNoExperts() {
        Architecture config = read("qwen3_moe", "{'decoder_sparse_step':2,'mlp_only_layers':[3]}");
        assertThat(config.moe()).contains(new RoutedExperts(8, 2, 32, List.of(1)));
    }

    @Test
    void deepseekV2ChoosesFromGroupsOnlyWhereItSaysSo() {
        assertThat(((DeepseekV2) read("deepseek_v2", "{'n_group':4,'topk_group':2}")).limit())
                .isEqualTo(GroupLimit.NONE);
        assertThat(((DeepseekV2) read(
                                "deepseek_v2", "{'topk_method':'group_limited_greedy','n_group':4,'topk_group':2}"))
                        .limit())
                .isEqualTo(new GroupLimit(4, 2));
    }

    /** Three of four layers are linear where no list says otherwise; a quarter of a head rotates. */
    @Test
    void linearLayersAndRotatedColumnsHaveDefaults() {
        Qwen3Next next = (Qwen3Next) read("qwen3_next", "{}");
        assertThat(next.linear().layers()).containsExactly(0, 1, 2);
        assertThat(next.attention().positions().dimensions()).isEqualTo(64);
        assertThat(next.normalizeTopK()).isTrue();
        Qwen35Moe moe = (Qwen35Moe) read(
                "qwen3_5_moe",
                "{'full_attention_interval':2,'head_dim':32,'mtp_num_hidden_layers':1,'rope_parameters':"
                        + "{'rope_type':'default','rope_theta':10000000,'partial_rotary_factor':0.5,'mrope_section':[4,2,2],"
                        + "'mrope_interleaved':true}}");
        assertThat(moe.linear().layers()).containsExactly(0, 2);
        assertThat(moe.attention().positions().dimensions()).isEqualTo(16);
        assertThat(moe.attention().positions().theta()).isEqualTo(10_000_000);
        assertThat(moe.ignoredKeys()).isEmpty();
        Qwen35 dense = (Qwen35) read(
                "qwen3_5", "{'layer_types':['full_attention','linear_attention','full_attention','linear_attention']}");
        assertThat(dense.linear().layers()).containsExactly(1, 3);
    }
}
