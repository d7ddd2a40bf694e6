package org.espalier.engine.library;

/** Ops in the order of {@code enum es_op_kind}. */
enum OpKind {
    EMBED,
    RMS_NORM,
    LAYER_NORM,
    LINEAR,
    ROTATE,
    ATTENTION,
    SELECT_ROWS,
    LATENT_ATTENTION,
    GATED_MLP,
    ROUTE,
    EXPERTS,
    SCALE,
    GATE,
    SHORT_CONVOLUTION,
    GATED_DELTA_RULE,
    ADD,
    EXCHANGE_BEGIN,
    EXCHANGE_AWAIT,
    LOGITS
}
