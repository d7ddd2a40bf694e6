package org.espalier.checkpoint;

import java.util.Map;

/** Mixtral's experts are published as {@code block_sparse_moe.experts.E.w1}; stacked they are called as everybody's. */
final class MixtralNames {
    private static final String MODULE = ".block_sparse_moe";
    private static final Map<String, String> STACKED =
            Map.of(".w1.", ".gate_proj.", ".w3.", ".up_proj.", ".w2.", ".down_proj.");

    private MixtralNames() {}

    /**
     * @param module for instance {@code model.layers.3.block_sparse_moe}
     * @param projection for instance {@code .gate_proj.weight}
     */
    static String published(String module, String projection) {
        return translate(module, projection, false);
    }

    /** The other way. @param projection for instance {@code .w1.weight} */
    static String stacked(String module, String projection) {
        return translate(module, projection, true);
    }

    private static String translate(String module, String projection, boolean toStacked) {
        if (module.endsWith(MODULE)) {
            for (Map.Entry<String, String> names : STACKED.entrySet()) {
                String from = toStacked ? names.getKey() : names.getValue();
                String to = toStacked ? names.getValue() : names.getKey();
                if (projection.startsWith(from)) {
                    return to + projection.substring(from.length());
                }
            }
        }
        return projection;
    }
}
