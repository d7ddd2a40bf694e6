package org.espalier.architecture;

import java.util.stream.IntStream;
import org.espalier.architecture.Decoder.Bias;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.model.GptOssConfig;
import org.espalier.program.Activation;
import org.espalier.program.Program;
import org.espalier.program.Projection;

/**
 * {@code model_type: gpt_oss}, <a href="https://arxiv.org/abs/2508.10925">gpt-oss</a> section 2: every other layer sees a window, each
 * head has a learned sink in its softmax, and everything has biases. The weights are the softmax of the chosen scores, which is the
 * softmax over all, chosen and divided by its sum.
 */
record GptOss(GptOssConfig config) implements Architecture {

    @Override
    public Program program(Checkpoint checkpoint, LayerRange layers) {
        Decoder decoder = new Decoder(config.backbone(), checkpoint);
        GroupedQueryAttention attention = new GroupedQueryAttention(decoder, config.attention());
        MixtureOfExperts moe = new MixtureOfExperts(decoder, config.experts());
        Bias bias = Bias.of(config.attentionBias());
        return decoder.program(layers, (layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            attention.project(name + ".self_attn", bias);
            attention.rotate();
            String sinks = name + ".self_attn.sinks";
            attention.attend(
                    layer, decoder.weights.vector(sinks, config.attention().heads()));
            attention.output(name + ".self_attn", bias);
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            experts(decoder, moe, layer, name + ".mlp");
            moe.addToResidual();
        });
    }

    private void experts(Decoder decoder, MixtureOfExperts moe, int layer, String name) {
        int experts = config.experts().count();
        int hidden = config.backbone().hidden();
        Projection gate = decoder.projection(name + ".router", Bias.ADDED, experts, hidden);
        moe.route(layer, gate, null, moe.softmaxRouter(true));
        MergedExperts merged = new MergedExperts(
                IntStream.range(0, experts).boxed().toList(),
                experts,
                config.experts().intermediate(),
                hidden);
        moe.experts(decoder.weights.mergedExperts(
                name + ".experts", merged, new Activation.ClampedSwiglu(config.swigluAlpha(), config.swigluLimit())));
    }
}
