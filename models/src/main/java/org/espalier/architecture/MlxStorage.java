package org.espalier.architecture;

import java.util.Optional;
import org.espalier.config.LatentAttentionConfig;

/**
 * How mlx-lm stores the weights of an architecture, as far as that differs between architectures.
 *
 * @param router how the routers' matrices are stored
 * @param experts the module of a layer's stacked experts
 * @param norms how zero-centred norms are stored
 * @param cut the attention whose {@code kv_b_proj} is split into {@code embed_q} and {@code unembed_out}; empty if it stays whole
 */
public record MlxStorage(Router router, String experts, Norms norms, Optional<LatentAttentionConfig> cut) {

    static final MlxStorage USUAL =
            new MlxStorage(Router.AS_OTHERS, "switch_mlp", Norms.AS_PUBLISHED, Optional.empty());

    /** How a router's matrix is stored. */
    public enum Router {
        /** Quantized like all matrices. */
        AS_OTHERS,
        /** With 8 bits. */
        EIGHT_BITS,
        /** Not quantized, since the model multiplies with it directly. */
        FLOATS
    }

    /** How a norm's weight is stored. */
    public enum Norms {
        AS_PUBLISHED,
        /** With the one that zero-centred weights lack, but for those of linear attention, which are not. */
        PLUS_ONE
    }

    MlxStorage withNorms(Norms changed) {
        return new MlxStorage(router, experts, changed, cut);
    }

    MlxStorage withRouter(Router changed) {
        return new MlxStorage(changed, experts, norms, cut);
    }

    MlxStorage withExperts(String changed) {
        return new MlxStorage(router, changed, norms, cut);
    }

    MlxStorage withCut(LatentAttentionConfig attention) {
        return new MlxStorage(router, experts, norms, Optional.of(attention));
    }
}
