/* Sizes of stored rows, and their values. */
#include "decode.h"

static const struct {
  int values, bytes;
} blocks[ES_BLOCKS] = {
    [ES_Q4_0] = {32, 2 + 16},
    [ES_Q4_1] = {32, 2 + 2 + 16},
    [ES_Q5_0] = {32, 2 + 4 + 16},
    [ES_Q5_1] = {32, 2 + 2 + 4 + 16},
    [ES_Q8_0] = {32, 2 + 32},
    [ES_Q2_K] = {256, 16 + 64 + 2 + 2},
    [ES_Q3_K] = {256, 32 + 64 + 12 + 2},
    [ES_Q4_K] = {256, 2 + 2 + 12 + 128},
    [ES_Q5_K] = {256, 2 + 2 + 12 + 32 + 128},
    [ES_Q6_K] = {256, 128 + 64 + 16 + 2},
    [ES_IQ4_NL] = {32, 2 + 16},
    [ES_IQ4_XS] = {256, 2 + 2 + 4 + 128},
    [ES_MXFP4] = {32, 1 + 16},
};

int block_values(int block) { return blocks[block].values; }

int block_bytes(int block) { return blocks[block].bytes; }

int64_t format_row_bytes(const struct format *f, int32_t columns) {
  switch (f->kind) {
    case ES_BLOCK: return (int64_t)(columns / f->group) * blocks[f->type].bytes;
    case ES_AFFINE: return (int64_t)columns * f->type / 8;
    default: return element_bytes(f->type, columns);
  }
}

int64_t format_scale_bytes(const struct format *f, int32_t columns) {
  switch (f->kind) {
    case ES_AFFINE: return element_bytes(f->scales, columns / f->group);
    case ES_SCALED: return element_bytes(f->scales, ((int64_t)columns + f->group - 1) / f->group);
    default: return 0;
  }
}

int64_t format_bias_bytes(const struct format *f, int32_t columns) {
  return f->kind == ES_AFFINE ? format_scale_bytes(f, columns) : 0;
}

void format_decode(
    const struct format *f, const uint8_t *values, const uint8_t *scales, const uint8_t *biases, int32_t columns, float *out) {
  decode_columns(f, values, scales, biases, 0, columns, out);
}
