package org.espalier.architecture;

import java.util.List;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufDialect;
import org.espalier.config.Backbone;
import org.espalier.config.ConfigReader;
import org.espalier.config.IndexerConfig;
import org.espalier.config.LatentAttentionConfig;
import org.espalier.config.RoutedExperts;
import org.espalier.config.SparseLayers;
import org.espalier.program.Program;
import org.espalier.program.Rope;
import org.espalier.program.Router;
import org.espalier.slice.Member;

/**
 * {@code model_type: deepseek_v32}, <a href="https://arxiv.org/abs/2512.02556">DeepSeek-V3.2</a>: {@link DeepseekV3} whose attention sees the
 * rows that an indexer chooses. As transformers computes it, without the Hadamard transform of both sides of a product, which changes nothing,
 * and without rounding them to fp8.
 *
 * <table>
 *   <caption>paper and method</caption>
 *   <tr><td>section 2.1, lightning indexer, eq. 1</td><td>{@link LightningIndexer#select}</td></tr>
 *   <tr><td>section 2.1, fine-grained token selection, eq. 2</td><td>{@link MultiHeadLatentAttention#attendToChosen}</td></tr>
 * </table>
 */
record DeepseekV32(DeepseekV3 v3, IndexerConfig indexer, List<String> ignoredKeys) implements Architecture {

    static DeepseekV32 read(ConfigReader config) {
        LatentAttentionConfig attention = LatentAttentionConfig.readIndexed(config);
        IndexerConfig indexer = IndexerConfig.read(config, attention);
        config.absent("indexer_rope_interleave");
        DeepseekV3 v3 = DeepseekV3.read(config, attention);
        SparseLayers.requireFrom(v3.firstDense(), config, v3.backbone());
        return new DeepseekV32(v3, indexer, config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "deepseek_v32";
    }

    @Override
    public Backbone backbone() {
        return v3.backbone();
    }

    @Override
    public LatentAttentionConfig attention() {
        return v3.attention();
    }

    @Override
    public RoutedExperts experts() {
        return v3.experts();
    }

    /** Attention rotates pairs of neighbours as V3's does, the indexer halves. */
    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone(), checkpoint, member);
        MultiHeadLatentAttention mla = new MultiHeadLatentAttention(decoder, attention());
        LightningIndexer lightning =
                new LightningIndexer(decoder, indexer, attention().positions(), Rope.Pairing.HALF);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts());
        Router router = moe.sigmoidRouter(v3.limit(), v3.normalizeTopK(), v3.routedScaling());
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            lightning.select(layer, mla.queryLatent(name + ".self_attn"), name + ".self_attn.indexer");
            mla.query(name + ".self_attn");
            mla.latent(name + ".self_attn");
            mla.attendToChosen(layer, name + ".self_attn");
            decoder.addBlock();

            decoder.normResidual(name + ".post_attention_layernorm");
            if (layer < v3.firstDense()) {
                decoder.mlp(name + ".mlp", v3.intermediate());
            } else {
                moe.routeWithCorrection(layer, name + ".mlp.gate", router);
                moe.experts(name + ".mlp.experts");
                moe.sharedExperts(name + ".mlp.shared_experts", v3.sharedExperts());
            }
            decoder.addBlock();
        });
    }

    @Override
    public MlxStorage mlxStorage() {
        return v3.mlxStorage();
    }

    /** Its multi-token-prediction layers are the last of its blocks. */
    static final GgufDialect GGUF = GgufDialect.of("deepseek32", "deepseek_v32")
            .tensors(DeepseekV3.GGUF.names().withIndexer().withNextToken())
            .metadata(config -> DeepseekV3.fromGguf(config.nextTokenLayers().indexer()));
}
