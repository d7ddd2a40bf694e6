package org.espalier.architecture;

import java.util.Optional;
import org.espalier.config.LatentAttentionConfig;

/**
 * What mlx-lm does with the weights of one architecture and not of all.
 *
 * @param router how the routers' matrices are kept
 * @param experts the module of a layer's stacked experts
 * @param cut the attention whose {@code kv_b_proj} is cut into {@code embed_q} and {@code unembed_out}; empty where it stays whole
 */
public record MlxStorage(Router router, String experts, Optional<LatentAttentionConfig> cut) {

    static final MlxStorage USUAL = new MlxStorage(Router.AS_OTHERS, "switch_mlp", Optional.empty());

    /** How a router's matrix is kept. */
    public enum Router {
        /** Quantized like all matrices. */
        AS_OTHERS,
        /** With 8 bits. */
        EIGHT_BITS,
        /** Not quantized: the model multiplies with it itself. */
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
