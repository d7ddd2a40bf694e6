package org.espalier.architecture;

import java.util.List;
import java.util.Set;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.config.SlidingWindows;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: mistral}, <a href="https://arxiv.org/abs/2310.06825">Mistral 7B</a>: {@link Llama} whose attention sees a sliding
 * window (section 2; later versions of the model have none). Its GGUF files are {@link Llama#GGUF}'s.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2, sliding window attention</td><td>{@link #read}, one window a layer; {@link GroupedQueryAttention#attend(int)}</td></tr>
 *   <tr><td>section 2, rolling buffer cache</td><td>the window of {@link org.espalier.program.Cache}</td></tr>
 * </table>
 *
 * @param intermediate width of the MLP
 */
record Mistral(Backbone backbone, GroupedAttentionConfig attention, int intermediate, List<String> ignoredKeys)
        implements Architecture {

    private static final int WINDOW = 4096; // transformers' default; null means no window

    static Mistral read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of(2));
        config.absent("layer_types");
        List<Integer> windows = config.mentions("sliding_window")
                ? SlidingWindows.everywhere(config, backbone)
                : SlidingWindows.some(config, backbone, layer -> true, WINDOW);
        return new Mistral(
                backbone,
                GroupedAttentionConfig.read(config, backbone, windows),
                config.size("intermediate_size"),
                config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "mistral";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member);
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            gqa.project(name + ".self_attn", Bias.NONE);
            gqa.rotate();
            gqa.attend(layer);
            gqa.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            decoder.mlp(name + ".mlp", intermediate);
            decoder.addBlock();
        });
    }
}
