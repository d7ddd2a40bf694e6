package org.espalier.engine.library;

/** The fields of {@code struct es_result}, each an int64, in their order. */
enum ResultField {
    ACTIVATIONS,
    ACTIVATION_BYTES,
    LOGITS,
    LOGITS_ROWS,
    GREEDY,
    GREEDY_COUNT,
    EXPERTS,
    EXPERT_WEIGHTS,
    ROUTING_WIDTH,
    LAST_HIDDEN,
    EXCHANGE_OP,
    EXCHANGE_VALUES,
    EXCHANGE_BYTES;

    static final int BYTES = values().length * Long.BYTES;

    int offset() {
        return ordinal() * Long.BYTES;
    }
}
