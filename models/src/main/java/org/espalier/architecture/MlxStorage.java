package org.espalier.architecture;

import java.util.Optional;
import org.espalier.config.LatentAttentionConfig;

/**
 * How mlx-lm stores the weights of an architecture, as far as that differs between architectures.
 *
 * @param router how the routers' matrices are stored
 * @param experts the module of a layer's stacked experts
 * @param cut the attention whose {@code kv_b_proj} is split into {@code embed_q} and {@code unembed_out}; empty if it stays whole
 */
public record MlxStorage(Router router, String experts, Optional<LatentAttentionConfig> cut) {

    static final MlxStorage USUAL = new MlxStorage(Router.AS_OTHERS, "switch_mlp", Optional.empty());

    /** How a router's matrix is stored. */
    public enum Router {
        /** Quantized like all matrices. */
        AS_OTHERS,
        /** With 8 bits. */
        EIGHT_BITS,
        /** Not quantized, since the model multiplies with it directly. */
        FLOATS
    }

    MlxStorage withRouter(Router changed) {
        return new MlxStorage(changed, experts, cut);
    }

    MlxStorage withExperts(String changed) {
        return new MlxStorage(router, changed, cut);
    }

    MlxStorage withCut(LatentAttentionConfig attention) {
        return new MlxStorage(router, experts, Optional.of(attention));
    }
}
