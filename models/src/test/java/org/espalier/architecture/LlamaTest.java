package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.espalier.config.ConfigException;
import org.espalier.config.RopeScaling;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaTest {

    /** Nothing but what is required. */
    private static final String LEAST = "{'model_type':'llama','hidden_size':64,'num_hidden_layers':2,"
            + "'num_attention_heads':4,'vocab_size':100,'intermediate_size':128,'max_position_embeddings':256,"
            + "'rms_norm_eps':1e-5}";

    private static Llama read(String changes) {
        ObjectNode json = ConfigJson.of(LEAST);
        json.setAll(ConfigJson.of(changes));
        return (Llama) Architectures.read(json);
    }

    @Test
    void defaultsAreThoseOfTransformers() {
        Llama config = read("{}");
        assertThat(config.attention().kvHeads()).isEqualTo(4);
        assertThat(config.attention().headWidth()).isEqualTo(16);
        assertThat(config.attention().positions().theta()).isEqualTo(10_000);
        assertThat(config.attention().positions().scaling()).isEqualTo(new RopeScaling.Default());
        assertThat(config.endOfSequence()).containsExactly(2);
        assertThat(config.tiedEmbeddings()).isFalse();
        assertThat(config.attentionBias()).isFalse();
        assertThat(config.mlpBias()).isFalse();
        assertThat(config.attention().cacheWidth()).isEqualTo(2 * 4 * 16);
        assertThat(config.ignoredKeys()).isEmpty();
    }

    @Test
    void readsTheTinyModel() {
        Llama config = (Llama) Architectures.read(ConfigJson.tiny("llama-tiny"));
        assertThat(config.attention().positions().scaling()).isEqualTo(new RopeScaling.Llama3(32, 1, 4, 64));
        assertThat(config.attention().kvHeads()).isEqualTo(2);
        assertThat(config.ignoredKeys()).isEmpty();
    }

    @Test
    void ropeMayBeStretched() {
        assertThat(read("{'rope_scaling':{'type':'linear','factor':2}}")
                        .attention()
                        .positions()
                        .scaling())
                .isEqualTo(new RopeScaling.Linear(2));
        assertThat(read("{'rope_scaling':{'rope_type':'yarn','factor':4,'original_max_position_embeddings':64}}")
                        .attention()
                        .positions()
                        .scaling())
                .isEqualTo(new RopeScaling.Yarn(4, 64, 32, 1, 0, 0, true));
    }

    @Test
    void bothSpellingsGiveTheSame() {
        String scaling = "'factor':8,'low_freq_factor':1,'high_freq_factor':4,'original_max_position_embeddings':64";
        Llama four = read(
                "{'rope_theta':500000.0,'torch_dtype':'bfloat16','rope_scaling':{'type':'llama3'," + scaling + "}}");
        Llama five = read(
                "{'dtype':'bfloat16','rope_parameters':{'rope_theta':500000.0,'rope_type':'llama3'," + scaling + "}}");
        assertThat(five).isEqualTo(four);
        assertThat(five.attention().positions().theta()).isEqualTo(500_000);
        assertThat(five.attention().positions().scaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 64));
        assertThat(read("{'rope_parameters':{'rope_type':'default','rope_theta':7}}")
                        .attention()
                        .positions()
                        .theta())
                .isEqualTo(7);
        assertThat(read("{'rope_parameters':{'rope_theta':7}}")
                        .attention()
                        .positions()
                        .scaling())
                .isEqualTo(new RopeScaling.Default());
        assertThat(read("{'rope_scaling':null,'rope_theta':7}")
                        .attention()
                        .positions()
                        .theta())
                .isEqualTo(7);
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
                "model_type"
            })
    void aMissingRequiredKeyFailsByName(String key) {
        ObjectNode json = ConfigJson.of(LEAST);
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
                "{'sliding_window':4096} | sliding_window is 4096, which is not supported: expected no value",
                "{'layer_types':['full_attention']} | layer_types is [\"full_attention\"], which is not supported: expected no value",
                "{'partial_rotary_factor':0.5} | partial_rotary_factor is 0.5, which is not supported: expected 1",
                "{'quantization_config':{'quant_method':'gptq'}}"
                        + " | quantization_config.quant_method is gptq, which is not supported:"
                        + " expected compressed-tensors, fp8, mxfp4",
                "{'rope_scaling':{'type':'dynamic','factor':2}}"
                        + " | rope_scaling.rope_type is dynamic, which is not supported: expected default, linear, llama3, yarn",
                "{'rope_scaling':{'factor':2}} | rope_scaling.rope_type is absent, expected a rope type beside the factor",
                "{'rope_scaling':{'rope_type':'llama3','factor':8,'low_freq_factor':1}}"
                        + " | the required key rope_scaling.high_freq_factor is missing",
                "{'rope_scaling':{'rope_type':'llama3','factor':8,'low_freq_factor':4,'high_freq_factor':4}}"
                        + " | rope_scaling.high_freq_factor is 4, expected more than low_freq_factor",
                "{'rope_scaling':7} | rope_scaling is 7, expected an object",
                "{'hidden_size':'64'} | hidden_size is \"64\", expected a whole number from 1 to 16777216",
                "{'hidden_size':66} | hidden_size is 66, expected a multiple of num_attention_heads, 4",
                "{'num_key_value_heads':3} | num_key_value_heads is 3, expected a divisor of num_attention_heads, 4",
                "{'head_dim':15} | head_dim is 15, expected an even number, since rope rotates pairs",
                "{'num_hidden_layers':2000000000}"
                        + " | num_hidden_layers is 2000000000, expected a whole number from 1 to 4096",
                "{'num_hidden_layers':0} | num_hidden_layers is 0, expected a whole number from 1 to 4096",
                "{'rms_norm_eps':-1} | rms_norm_eps is -1, expected a number of 0 or more",
                "{'rope_theta':1e99} | rope_theta is 1.0E99, expected a number of 0 or more",
                "{'rope_theta':0} | rope_theta is 0, expected a number above 0",
                "{'tie_word_embeddings':1} | tie_word_embeddings is 1, expected true or false",
                "{'eos_token_id':'x'} | eos_token_id is \"x\", expected a token id or a list of them"
            })
    void aValueThatIsNotComputedFailsByNameAndValue(String changes, String message) {
        assertThatThrownBy(() -> read(changes))
                .isInstanceOf(ConfigException.class)
                .hasMessage(message);
    }

    @Test
    void otherKeysAreListed() {
        Llama config = read("{'zzz':1,'aaa':{},'use_cache':false,'rope_scaling':{'rope_type':'default','q':1}}");
        assertThat(config.ignoredKeys()).containsExactly("aaa", "zzz", "rope_scaling.q");
    }

    @Test
    void endOfSequenceIsOneIdOrSeveral() {
        assertThat(read("{'eos_token_id':[5,6]}").endOfSequence()).containsExactlyInAnyOrder(5, 6);
        assertThat(read("{'eos_token_id':5}").endOfSequence()).containsExactly(5);
        assertThat(read("{'eos_token_id':null}").endOfSequence()).isEmpty();
    }
}
