package org.espalier.architecture;

import java.util.List;
import java.util.stream.LongStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.checkpoint.GgufConfig;
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
import org.espalier.slice.JoinedLayers;
import org.espalier.slice.Member;

/**
 * {@code model_type: glm_moe_dsa}, <a href="https://arxiv.org/abs/2602.15763">GLM-5</a>: {@link DeepseekV32} whose indexer rotates pairs of
 * neighbours too, and where layers without an indexer see the rows that the last indexer before them chose.
 */
record GlmMoeDsa(DeepseekV3 v3, IndexerConfig indexer, List<String> ignoredKeys) implements Architecture {

    static GlmMoeDsa read(ConfigReader config) {
        LatentAttentionConfig attention = LatentAttentionConfig.readIndexed(config);
        IndexerConfig indexer = IndexerConfig.readShared(config, attention);
        config.onlyTrue("indexer_rope_interleave");
        DeepseekV3 v3 = DeepseekV3.read(config, attention);
        SparseLayers.requireFrom(v3.firstDense(), config, v3.backbone());
        return new GlmMoeDsa(v3, indexer, config.ignoredKeys());
    }

    @Override
    public String modelType() {
        return "glm_moe_dsa";
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

    /** A choice of rows stays on its node. */
    @Override
    public JoinedLayers joinedLayers() {
        return new JoinedLayers(indexer.sharing());
    }

    @Override
    public Program program(Checkpoint checkpoint, Member member) {
        Decoder decoder = new Decoder(backbone(), checkpoint, member);
        MultiHeadLatentAttention mla = new MultiHeadLatentAttention(decoder, attention());
        LightningIndexer lightning =
                new LightningIndexer(decoder, indexer, attention().positions(), Rope.Pairing.INTERLEAVED);
        MixtureOfExperts moe = new MixtureOfExperts(decoder, experts());
        Router router = moe.sigmoidRouter(v3.limit(), v3.normalizeTopK(), v3.routedScaling());
        return decoder.program((layer, name) -> {
            decoder.normResidual(name + ".input_layernorm");
            if (indexer.full().get(layer)) {
                lightning.select(layer, mla.queryLatent(name + ".self_attn"), name + ".self_attn.indexer");
            }
            mla.query(name + ".self_attn");
            mla.latent(name + ".self_attn");
            mla.attendToChosen(indexer.chooser(layer), name + ".self_attn");
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

    static final GgufDialect GGUF = GgufDialect.of("glm-dsa", "glm_moe_dsa")
            .tensors(DeepseekV32.GGUF.names())
            .metadata(GlmMoeDsa::fromGguf);

    /** Where the file does not say which layers have an indexer, its tensors do. */
    private static void fromGguf(GgufConfig config) {
        DeepseekV3.fromGguf(config.nextTokenLayers().indexer());
        config.groups(1, 1);
        long layers = config.whole("block_count", 0) - config.whole("nextn_predict_layers", 0);
        List<Boolean> full = config.flags("attention.indexer.types");
        if (full.isEmpty()) {
            full = LongStream.range(0, layers)
                    .mapToObj(layer -> config.holds("blk." + layer + ".indexer.proj.weight"))
                    .toList();
        }
        config.put(
                "indexer_types",
                full.stream().map(one -> one ? "full" : "shared").toList());
    }
}
