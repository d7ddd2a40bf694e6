/*
 * Rows of x times quantized weights without AVX-512: a row of a weight becomes signed bytes with a scale, and maybe a bias, for each group of 32
 * columns; all rows of x are multiplied with it, group by group, by the integer dots that there are.
 */
#include "../program/decode.h"
#include "product_rows.h"
#include "vector.h"

/** One row of a weight: w = scale q + bias. */
struct group_row {
  int8_t *q;
  float *scales, *biases;
};

static bool has_groups(const struct format *f) {
  if (f->kind == ES_BLOCK) {
    return f->type == ES_Q4_0 || f->type == ES_Q4_1 || f->type == ES_Q5_0 || f->type == ES_Q5_1 || f->type == ES_Q8_0 || f->type == ES_Q4_K
        || f->type == ES_Q5_K || f->type == ES_IQ4_NL || f->type == ES_MXFP4;
  }
  return f->group % 32 == 0 && (f->kind == ES_AFFINE ? f->type == 4 || f->type == 8 : f->kind == ES_SCALED && (f->type == ES_E2M1 || f->type == ES_INT4));
}

/** Twice the values of E2M1, and those of IQ4_NL from ggml-common.h. */
static const int8_t twice_e2m1[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
static const int8_t iq4_bytes[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/** `count` bytes of nibbles: the low ones to `low`, the high ones to `high`. */
static inline void halves_of(const uint8_t *nibbles, int count, int8_t *low, int8_t *high) {
  for (int i = 0; i < count; i++) {
    low[i] = (int8_t)(nibbles[i] & 0xf);
    high[i] = (int8_t)(nibbles[i] >> 4);
  }
}

static inline void look_up(const int8_t *table, int8_t *q) {
  for (int i = 0; i < 32; i++) {
    q[i] = table[q[i]];
  }
}

static inline void take_off(int8_t *q, int center) {
  for (int i = 0; i < 32; i++) {
    q[i] = (int8_t)(q[i] - center);
  }
}

static inline void add_fifths(uint32_t bits, int8_t *q) {
  for (int i = 0; i < 32; i++) {
    q[i] = (int8_t)(q[i] | (int)(bits >> i & 1) << 4);
  }
}

/** Q4_K and Q5_K. */
static void unpack_k_block(bool fifths, const uint8_t *block, int8_t *q, float *scales, float *biases) {
  float d = f16_at(block), m = f16_at(block + 2);
  const uint8_t *fifth = block + 16, *nibbles = fifth + (fifths ? 32 : 0);
  for (int g = 0; g < 8; g++) {
    scales[g] = d * (float)k_scale(block + 4, g);
    biases[g] = -m * (float)k_minimum(block + 4, g);
  }
  for (int pair = 0; pair < 4; pair++) {
    halves_of(nibbles + 32 * pair, 32, q + 64 * pair, q + 64 * pair + 32);
  }
  for (int i = 0; fifths && i < 256; i++) {
    q[i] = (int8_t)(q[i] | (fifth[i % 32] >> (i / 32) & 1) << 4);
  }
}

static void unpack_block(int type, const uint8_t *block, int8_t *q, float *scale, float *bias) {
  switch (type) {
    case ES_Q4_0: halves_of(block + 2, 16, q, q + 16); take_off(q, 8); break;
    case ES_IQ4_NL: halves_of(block + 2, 16, q, q + 16); look_up(iq4_bytes, q); break;
    case ES_Q5_0: halves_of(block + 6, 16, q, q + 16); add_fifths(little_endian32(block + 2), q); take_off(q, 16); break;
    case ES_Q8_0: memcpy(q, block + 2, 32); break;
    case ES_Q4_1: halves_of(block + 4, 16, q, q + 16); *bias = f16_at(block + 2); break;
    case ES_Q5_1: halves_of(block + 8, 16, q, q + 16); add_fifths(little_endian32(block + 4), q); *bias = f16_at(block + 2); break;
    default: /* MXFP4 */
      halves_of(block + 1, 16, q, q + 16);
      look_up(twice_e2m1, q);
      *scale = 0.5f * e8m0_of_bits(*block);
      return;
  }
  *scale = f16_at(block);
}

static bool has_biases(const struct format *f) {
  return f->kind == ES_AFFINE || (f->kind == ES_BLOCK && (f->type == ES_Q4_1 || f->type == ES_Q5_1 || f->type == ES_Q4_K || f->type == ES_Q5_K));
}

static void unpack_row(const struct weight *w, int32_t matrix, int32_t index, struct group_row *out) {
  const struct format *f = &w->format;
  struct stored_row row = stored_row(w, matrix, index);
  if (f->kind == ES_BLOCK) {
    int size = block_bytes(f->type);
    for (int32_t b = 0; b < w->columns / f->group; b++) {
      if (f->group == 256) {
        unpack_k_block(f->type == ES_Q5_K, row.values + (int64_t)b * size, out->q + 256 * b, out->scales + 8 * b, out->biases + 8 * b);
      } else {
        unpack_block(f->type, row.values + (int64_t)b * size, out->q + 32 * b, out->scales + b, out->biases + b);
      }
    }
    return;
  }
  int center = f->kind == ES_AFFINE && f->type == 8 ? 128 : f->type == ES_INT4 && f->kind == ES_SCALED ? 8 : 0;
  bool e2m1 = f->kind == ES_SCALED && f->type == ES_E2M1;
  for (int32_t g = 0; g < w->columns / 32; g++) {
    int8_t *q = out->q + 32 * g;
    if (f->kind == ES_AFFINE && f->type == 8) {
      memcpy(q, row.values + 32 * (int64_t)g, 32);
    } else {
      for (int i = 0; i < 16; i++) {
        int pair = row.values[16 * (int64_t)g + i];
        q[2 * i] = (int8_t)(pair & 0xf);
        q[2 * i + 1] = (int8_t)(pair >> 4);
      }
    }
    if (e2m1) {
      look_up(twice_e2m1, q);
    }
    if (center) {
      take_off(q, center);
    }
    float scale = element_at(f->scales, row.scales, g / (f->group / 32));
    out->scales[g] = e2m1 ? 0.5f * scale : scale;
    if (f->kind == ES_AFFINE) {
      out->biases[g] = element_at(f->scales, row.biases, g / (f->group / 32)) + (float)center * scale;
    }
  }
}

/** Lanes whose sum is w . x of 32 columns. */
static inline vfloat dot_group(const int8_t *w, const int8_t *x) {
#if LANES == 8 && defined(__AVX2__)
  __m256i a = _mm256_loadu_si256((const __m256i *)w), b = _mm256_loadu_si256((const __m256i *)x);
  __m256i pairs = _mm256_maddubs_epi16(_mm256_sign_epi8(a, a), _mm256_sign_epi8(b, a)); /* at most 2 128 127: no saturation */
  return (vfloat)_mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#elif LANES == 4 && defined(__ARM_FEATURE_DOTPROD)
  int32x4_t sum = vdotq_s32(vdupq_n_s32(0), vld1q_s8(w), vld1q_s8(x));
  return (vfloat)vcvtq_f32_s32(vdotq_s32(sum, vld1q_s8(w + 16), vld1q_s8(x + 16)));
#else
  int32_t sum = 0;
  for (int i = 0; i < 32; i++) {
    sum += w[i] * x[i];
  }
  return (vfloat){(float)sum};
#endif
}

/** A row of the weight with rows of x, xn of them side by side. */
ALWAYS_INLINE void dot_groups(const struct group_row *w, bool biased, int groups, const struct product *p, int32_t row, int xn, int32_t index) {
  vfloat sums[4];
  float offsets[4] = {0};
  const struct operand *o = p->x;
  int64_t x_rows[4];
  for (int j = 0; j < xn; j++) {
    sums[j] = vset(0);
    x_rows[j] = operand_row(p, row + j);
  }
  for (int g = 0; g < groups; g++) {
    for (int j = 0; j < xn; j++) {
      float scale = w->scales[g] * o->scales[x_rows[j] * o->group_stride + g];
      sums[j] = vfma(dot_group(w->q + 32 * g, o->q + x_rows[j] * o->q_stride + 32 * g), vset(scale), sums[j]);
    }
  }
  for (int j = 0; j < xn; j++) {
    for (int g = 0; biased && g < groups; g++) {
      offsets[j] += w->biases[g] * o->sums[x_rows[j] * o->group_stride + g];
    }
    p->y[(row + j) * p->y_stride + index] = vsum(sums[j]) + offsets[j] + (p->bias ? p->bias[index] : 0);
  }
}

static int64_t product_scratch_groups(const struct product *p) {
  int64_t columns = (p->weight->columns + 255) / 256 * 256;
  return columns + 2 * (columns / 32) * (int64_t)sizeof(float);
}

static void product_rows_groups(const struct product *p, int32_t from, int32_t to, void *scratch) {
  int32_t columns = (p->weight->columns + 255) / 256 * 256, groups = p->weight->columns / 32;
  struct group_row w = {.scales = scratch};
  w.biases = w.scales + columns / 32;
  w.q = (int8_t *)(w.biases + columns / 32);
  bool biased = has_biases(&p->weight->format);
  for (int32_t index = from; index < to; index++) {
    unpack_row(p->weight, p->matrix, index, &w);
    int32_t row = 0;
    for (; row <= p->rows - 4; row += 4) {
      dot_groups(&w, biased, groups, p, row, 4, index);
    }
    for (; row < p->rows; row++) {
      dot_groups(&w, biased, groups, p, row, 1, index);
    }
  }
}
