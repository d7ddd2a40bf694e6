/* One set of instructions: everything of this folder in one unit, see compute.h. */
#include "compute.h"

#define PASTE(a, b) a##b
#define TABLE_OF(target) PASTE(compute_, target)

#include "vector.h"
#include "product.c"
#include "linear.c"

#include "norm.c"

#include "attention.c"
#include "convolution.c"
#include "delta.c"
#include "embed.c"
#include "experts.c"
#include "latent.c"
#include "logits.c"
#include "read.c"
#include "rotate.c"
#include "route.c"
#include "select.c"
#include "small.c"

const struct compute TABLE_OF(ES_TARGET) = {
    .name = TARGET_NAME,
    .ops = {
        [ES_EMBED] = op_embed,
        [ES_RMS_NORM] = op_rms_norm,
        [ES_LAYER_NORM] = op_layer_norm,
        [ES_LINEAR] = op_linear,
        [ES_ROTATE] = op_rotate,
        [ES_ATTENTION] = op_attention,
        [ES_SELECT_ROWS] = op_select_rows,
        [ES_LATENT_ATTENTION] = op_latent_attention,
        [ES_GATED_MLP] = op_gated_mlp,
        [ES_ROUTE] = op_route,
        [ES_EXPERTS] = op_experts,
        [ES_SCALE] = op_scale,
        [ES_GATE] = op_gate,
        [ES_SHORT_CONVOLUTION] = op_convolution,
        [ES_GATED_DELTA_RULE] = op_delta,
        [ES_ADD] = op_add,
        [ES_LOGITS] = op_logits,
    },
    .read = read_plainly,
};
