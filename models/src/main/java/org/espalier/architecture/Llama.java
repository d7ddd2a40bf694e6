package org.espalier.architecture;

import java.util.List;
import java.util.Set;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: llama}. <a href="https://arxiv.org/abs/2302.13971">Llama</a> section 2.2 names the parts, <a
 * href="https://arxiv.org/abs/2407.21783">Llama 3</a> section 3.2 the later ones.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>x + attention(norm(x)), x + mlp(norm(x)) ("pre-normalization")</td><td>{@link #program}</td></tr>
 *   <tr><td>grouped-query attention</td><td>{@link GroupedQueryAttention}</td></tr>
 *   <tr><td>rotary embeddings, Llama 3's with scaled frequencies</td><td>{@link RopeFrequencies}</td></tr>
 *   <tr><td>SwiGLU</td><td>{@link Decoder#mlp}</td></tr>
 * </table>
 *
 * @param attentionBias whether q, k, v and o have biases
 * @param intermediate width of the MLP
 * @param mlpBias whether gate, up and down have biases
 */
record Llama(
        Backbone backbone,
        GroupedAttentionConfig attention,
        boolean attentionBias,
        int intermediate,
        boolean mlpBias,
        List<String> ignoredKeys)
        implements Architecture {

    static Llama read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(2));
        config.absent("sliding_window");
        config.absent("use_sliding_window");
        config.absent("layer_types");
        return new Llama(
                backbone,
                GroupedAttentionConfig.read(config, backbone),
                config.flagOrFalse("attention_bias"),
                config.size("intermediate_size"),
                config.flagOrFalse("mlp_bias"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "llama";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        Bias bias = Bias.of(attentionBias);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            gqa.project(name + ".self_attn", bias);
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", bias);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            decoder.mlp(name + ".mlp", Bias.of(mlpBias), intermediate);
            decoder.addBlock();
        });
    }

    /** {@code llama} is Mistral too, which has the same tensors, and with experts {@link Mixtral}. */
    static final GgufDialect GGUF = GgufDialect.of("llama", "llama")
            .onlyWhere(file -> file.number("llama.expert_count", 0) == 0)
            .metadata(config -> config.wholeHeads()
                    .put("attention_bias", config.holds("blk.0.attn_q.bias"))
                    .put("mlp_bias", config.holds("blk.0.ffn_gate.bias")))
            .interleaved();
}
