package org.espalier.architecture;

import java.util.List;
import java.util.Set;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.SlidingWindows;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: qwen2}, <a href="https://arxiv.org/abs/2407.10671">Qwen2</a> and 2.5: {@link Llama} with biases on q, k and v.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2.2.1, grouped-query attention</td><td>{@link GroupedQueryAttention}</td></tr>
 *   <tr><td>section 2.2.1, QKV bias</td><td>{@link GroupedQueryAttention#project}</td></tr>
 *   <tr><td>section 2.2.1, YaRN</td><td>{@link RopeFrequencies}</td></tr>
 * </table>
 *
 * @param intermediate width of the MLP
 */
record Qwen2(Backbone backbone, GroupedAttentionConfig attention, int intermediate, List<String> ignoredKeys)
        implements Architecture {

    static Qwen2 read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        int full = config.count("max_window_layers", 28);
        List<Integer> windows = SlidingWindows.someIfSwitchedOn(config, backbone, layer -> layer >= full);
        return new Qwen2(
                backbone,
                GroupedAttentionConfig.read(config, backbone, windows),
                config.size("intermediate_size"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "qwen2";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            gqa.project(name + ".self_attn", Bias.ADDED);
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            decoder.mlp(name + ".mlp", intermediate);
            decoder.addBlock();
        });
    }

    static final GgufDialect GGUF = GgufDialect.of("qwen2", "qwen2");
}
