package org.espalier.architecture;

import java.util.List;
import java.util.Set;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.GatedDeltaConfig;
import org.espalier.config.GroupedAttentionConfig;
import org.espalier.program.Program;
import org.espalier.slice.Member;

/**
 * {@code model_type: qwen3_5}, dense Qwen3.5: {@link Qwen35Moe} with an MLP in place of the experts. Images are not served.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>Gated DeltaNet, <a href="https://arxiv.org/abs/2412.06464">Yang et al. 2024</a></td><td>{@link GatedDeltaNet}</td></tr>
 *   <tr><td>output gate of attention, <a href="https://arxiv.org/abs/2505.06708">Qiu et al. 2025</a></td><td>{@link
 *       GroupedQueryAttention#gatedBlock}</td></tr>
 * </table>
 *
 * @param intermediate width of the MLP
 */
record Qwen35(
        Backbone backbone,
        GroupedAttentionConfig attention,
        GatedDeltaConfig linear,
        int intermediate,
        List<String> ignoredKeys)
        implements Architecture {

    static Qwen35 read(ConfigReader config) {
        Backbone backbone = Backbone.read(config, Set.of());
        readText(config);
        return new Qwen35(
                backbone,
                GroupedAttentionConfig.read(
                        config, backbone, Qwen3Next.DEFAULTS, GroupedAttentionConfig.fullAttention(backbone)),
                GatedDeltaConfig.read(config, backbone),
                config.size("intermediate_size"),
                config.ignoredKeys());
    }

    /** What the text of both kinds has; images' positions in three sections are the same in all of them for text. */
    static void readText(ConfigReader config) {
        config.absent("attention_bias");
        if (!config.flagOrTrue("attn_output_gate")) {
            throw config.notSupported("attn_output_gate", false, true);
        }
        config.only("mamba_ssm_dtype", "float32");
        config.ignore(
                "mtp_num_hidden_layers",
                "mtp_use_dedicated_embeddings"); // the layer that predicts further tokens is not run
    }

    @Override
    public String modelType() {
        return "qwen3_5";
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone, checkpoint, member, GatedDeltaNet.norms(checkpoint, linear));
        GroupedQueryAttention gqa = new GroupedQueryAttention(decoder, attention);
        GatedDeltaNet delta = new GatedDeltaNet(decoder, linear, backbone);
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            if (linear.layers().contains(layer)) {
                delta.block(name + ".linear_attn");
            } else {
                gqa.gatedBlock(layer, name + ".self_attn");
            }
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            decoder.mlp(name + ".mlp", intermediate);
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return MlxStorage.USUAL.withNorms(MlxStorage.Norms.PLUS_ONE);
    }

    /** Its value heads are in another order than published. */
    static final GgufDialect GGUF = GgufDialect.of("qwen35", "qwen3_5")
            .tensors(Qwen3Next.ggufNames())
            .metadata(config -> config.gatedDelta().put("gguf_tiled_value_heads", true));
}
