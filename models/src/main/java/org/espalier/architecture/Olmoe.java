package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.OlmoeConfig;
import org.espalier.program.Program;

/**
 * {@code model_type: olmoe}, <a href="https://arxiv.org/abs/2409.02060">OLMoE</a> section 2: experts in every layer, queries and keys normed
 * over all heads at once.
 */
record Olmoe(OlmoeConfig config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        MixtureOfExperts moe = new MixtureOfExperts(decoder, config.experts());
        Bias bias = Bias.of(config.attentionBias());
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.project(name + ".self_attn", bias);
            decoder.normHeads(attention.query, 1, name + ".self_attn.q_norm");
            decoder.normHeads(attention.key, 1, name + ".self_attn.k_norm");
            attention.rotate();
            attention.attend(layer);
            attention.output(name + ".self_attn", bias);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            moe.route(layer, name + ".mlp.gate", moe.softmaxRouter(config.normalizeTopK()));
            moe.experts(name + ".mlp.experts", MixtureOfExperts.Names.PROJ);
            moe.addToResidual();
        });
    }
}
