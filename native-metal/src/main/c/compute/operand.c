/* The operand of products: rows of floats, in `fast` also in 8 bits. */
#include "product.h"
#include "vector.h"

/** Columns to which rows of 8 bits are padded: whole steps of every kernel. */
#define OPERAND_PADDING 256

/** One group: q, its scale, and the sums; `count` columns of x, then zeros. */
static void quantize_group(const float *x, int32_t count, int8_t *q, float *scale, float *sum, int32_t *negated) {
  float padded[OPERAND_GROUP] = {0};
  if (count < OPERAND_GROUP) {
    memcpy(padded, x, (size_t)count * sizeof *x);
    x = padded;
  }
#if defined(__AVX512F__)
  __m512 a = _mm512_loadu_ps(x), b = _mm512_loadu_ps(x + 16);
  float greatest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
  greatest = _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q) ? NAN : greatest;
  float inverse = greatest > 0 ? 127 / greatest : 0;
  const __m512i least = _mm512_set1_epi32(-127); /* of numbers; what is none becomes the least integer, of which no sum can be made */
  __m512i low = _mm512_max_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(a, _mm512_set1_ps(inverse))), least);
  __m512i high = _mm512_max_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(b, _mm512_set1_ps(inverse))), least);
  _mm_storeu_si128((__m128i *)q, _mm512_cvtsepi32_epi8(low));
  _mm_storeu_si128((__m128i *)(q + 16), _mm512_cvtsepi32_epi8(high));
  int32_t first = _mm512_reduce_add_epi32(low), second = _mm512_reduce_add_epi32(high);
#else
  float greatest = 0;
  for (int i = 0; i < OPERAND_GROUP; i++) {
    greatest = fabsf(x[i]) <= greatest ? greatest : fabsf(x[i]); /* keeps NaN */
  }
  float inverse = greatest > 0 ? 127 / greatest : 0;
  int32_t first = 0, second = 0;
  for (int i = 0; i < OPERAND_GROUP; i++) {
    float scaled = x[i] * inverse;
    int32_t value = scaled > -127 && scaled < 127 ? (int32_t)(scaled + (scaled < 0 ? -0.5f : 0.5f)) : scaled > 0 ? 127 : -127;
    q[i] = (int8_t)value;
    *(i < OPERAND_GROUP / 2 ? &first : &second) += value;
  }
#endif
  *scale = greatest / 127;
  *sum = *scale * (float)(first + second);
  negated[0] = -first - second;
  negated[1] = -first;
}

struct quantization {
  struct operand *operand;
  int8_t *q;
  float *scales, *sums;
  int32_t *negated;
};

static void quantize_row(void *context, int64_t row, int thread) {
  (void)thread;
  const struct quantization *all = context;
  const struct operand *o = all->operand;
  const float *x = o->x + row * o->stride;
  int8_t *q = all->q + row * o->q_stride;
  float *scales = all->scales + row * o->group_stride, *sums = all->sums + row * o->group_stride;
  int32_t *negated = all->negated + 2 * row * o->group_stride;
  for (int64_t g = 0; g < o->group_stride; g++) {
    int64_t rest = o->columns - g * OPERAND_GROUP;
    if (rest > 0) {
      quantize_group(x + g * OPERAND_GROUP, rest < OPERAND_GROUP ? (int32_t)rest : OPERAND_GROUP, q + g * OPERAND_GROUP, scales + g, sums + g,
          negated + 2 * g);
    } else {
      memset(q + g * OPERAND_GROUP, 0, OPERAND_GROUP);
      scales[g] = sums[g] = 0;
      negated[2 * g] = negated[2 * g + 1] = 0;
    }
  }
}

static struct operand operand_of(struct step *s, const float *x, int64_t stride, int32_t rows, int32_t columns) {
  struct operand o = {.rows = rows, .columns = columns, .x = x, .stride = stride};
  if (!is_fast(s->program)) {
    return o;
  }
  o.q_stride = (columns + OPERAND_PADDING - 1) / OPERAND_PADDING * OPERAND_PADDING;
  o.group_stride = o.q_stride / OPERAND_GROUP;
  struct quantization all = {&o, op_memory(s, rows * o.q_stride), op_memory(s, rows * o.group_stride * (int64_t)sizeof(float)),
      op_memory(s, rows * o.group_stride * (int64_t)sizeof(float)), op_memory(s, 2 * rows * o.group_stride * (int64_t)sizeof(int32_t))};
  if (rows < 4) { /* done before the threads have begun */
    for (int32_t row = 0; row < rows; row++) {
      quantize_row(&all, row, 0);
    }
  } else {
    step_run_tasks(s, rows, quantize_row, &all);
  }
  o.q = all.q;
  o.scales = all.scales;
  o.sums = all.sums;
  o.negated = all.negated;
  return o;
}
