package org.espalier.architecture;

import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.MixtralConfig;
import org.espalier.program.Program;

/**
 * {@code model_type: mixtral}, <a href="https://arxiv.org/abs/2401.04088">Mixtral of Experts</a>: {@link Mistral} with experts in place of
 * every MLP (section 2.1: G(x) = softmax(top-K(x W_g)), which is the softmax over all, chosen and divided by its sum).
 */
record Mixtral(MixtralConfig config) implements Architecture {

    private static final MixtureOfExperts.Names NAMES = new MixtureOfExperts.Names("w1", "w3", "w2");

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        MixtureOfExperts moe = new MixtureOfExperts(decoder, config.experts());
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.project(name + ".self_attn", Bias.NONE);
            attention.rotate();
            attention.attend(layer);
            attention.output(name + ".self_attn", Bias.NONE);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            moe.route(layer, name + ".block_sparse_moe.gate", moe.softmaxRouter(true));
            moe.experts(name + ".block_sparse_moe.experts", NAMES);
            moe.addToResidual();
        });
    }
}
