/*
 * A few rows of x times quantized weights where they lie, with AVX-512 VNNI: decode, and experts that few rows chose. Rows of x are arranged once as
 * the weights' columns come; each step of the weights is unpacked in registers and multiplied with all of them. Where weights have a center, the dots
 * begin with what it takes off, so that it is exact.
 */
#if defined(__AVX512F__)
#include "in_place.h"

#define IN_PLACE_ROWS 4 /* of a weight side by side */
#define IN_PLACE_X 4    /* rows of x at most at a time; more need more registers than there are */
#define IN_PLACE_X_SPLIT 2
#define NUMBERS_AHEAD 2 /* rows whose scales and biases that lie apart are asked for before they are needed */

/* What one step of a row of x consists of, and where. */
#define X_LOW 0
#define X_HIGH 64
#define X_START 128
#define X_SCALE 192
#define X_SPLIT 256 /* start and scale of the second dot */

ALWAYS_INLINE int x_sums(enum in_place kind) { return is_split(kind) ? X_SPLIT + 128 : X_SPLIT; }

ALWAYS_INLINE int x_bytes(enum in_place kind) { return x_sums(kind) + (has_step_bias(kind) ? 64 : 0); }

/** 128 columns of x from `column` on, of which groups before the first `done` count. */
ALWAYS_INLINE void arrange_step(enum in_place kind, const struct operand *o, int64_t row, int32_t column, int32_t done, uint8_t *out) {
  static const int8_t every_other[2][64] = {
#define EVERY_OTHER(at) at, at + 2, at + 4, at + 6, at + 8, at + 10, at + 12, at + 14, at + 16, at + 18, at + 20, at + 22, at + 24, at + 26, at + 28, at + 30
      {EVERY_OTHER(0), EVERY_OTHER(32), EVERY_OTHER(64), EVERY_OTHER(96)}, {EVERY_OTHER(1), EVERY_OTHER(33), EVERY_OTHER(65), EVERY_OTHER(97)}};
  const int8_t *q = o->q + row * o->q_stride + column;
  int64_t first = row * o->group_stride + column / OPERAND_GROUP;
  __m512i a = _mm512_loadu_si512(q), b = _mm512_loadu_si512(q + 64), low = a, high = b;
  __m512i lanes = quarters(0, 1, 2, 3), high_lanes = lanes;
  switch (columns_of(kind)) {
    case COLUMNS_HALVES:
      low = _mm512_shuffle_i64x2(a, b, 0x88);
      high = _mm512_shuffle_i64x2(a, b, 0xdd);
      break;
    case COLUMNS_ALTERNATING:
      low = _mm512_permutex2var_epi8(a, _mm512_loadu_si512(every_other[0]), b);
      high = _mm512_permutex2var_epi8(a, _mm512_loadu_si512(every_other[1]), b);
      break;
    case COLUMNS_STRAIGHT:
      lanes = quarters(0, 0, 1, 1);
      high_lanes = quarters(2, 2, 3, 3);
      break;
    case COLUMNS_PAIRS:
      low = _mm512_shuffle_i64x2(a, b, 0x44);
      high = _mm512_shuffle_i64x2(a, b, 0xee);
      lanes = quarters(0, 0, 2, 2);
      high_lanes = quarters(1, 1, 3, 3);
  }
  _mm512_storeu_si512(out + X_LOW, low);
  _mm512_storeu_si512(out + X_HIGH, high);
  __mmask8 todo = (__mmask8)(0xf << done / OPERAND_GROUP & 0xf);
  __m128 four = _mm_maskz_loadu_ps(todo, o->scales + first);
  __m512 scales = _mm512_castps128_ps512(is_halved(kind) ? _mm_mul_ps(four, _mm_set1_ps(0.5f)) : four);
  _mm512_storeu_ps(out + X_SCALE, _mm512_permutexvar_ps(lanes, scales));
  __m512i start = _mm512_setzero_si512(), high_start = start;
  if (center_shift(kind) >= 0) {
    const __m512i ones = _mm512_set1_epi8(1), none = start;
    const __m128i shift = _mm_cvtsi32_si128(center_shift(kind));
    start = _mm512_dpbusd_epi32(none, ones, low);
    high_start = _mm512_dpbusd_epi32(is_split(kind) ? none : start, ones, high);
    start = _mm512_sub_epi32(none, _mm512_sll_epi32(is_split(kind) ? start : high_start, shift));
    high_start = _mm512_sub_epi32(none, _mm512_sll_epi32(high_start, shift));
  }
  _mm512_storeu_si512(out + X_START, start);
  if (is_split(kind)) {
    _mm512_storeu_si512(out + X_SPLIT, high_start);
    _mm512_storeu_ps(out + X_SPLIT + 64, _mm512_permutexvar_ps(high_lanes, scales));
  }
  if (has_step_bias(kind)) {
    __m128 sums = _mm_maskz_loadu_ps(todo, o->sums + first);
    if (columns_of(kind) == COLUMNS_PAIRS) { /* minima are subtracted */
      sums = _mm_sub_ps(_mm_setzero_ps(), sums);
    }
    _mm512_storeu_ps(out + x_sums(kind), _mm512_zextps128_ps512(sums));
  }
}

/** Where a step begins: the last one so that it ends with the row; what it meets again counts 0. */
ALWAYS_INLINE int32_t step_column(int32_t columns, int32_t step) {
  int32_t column = step * IN_PLACE_COLUMNS;
  return column + IN_PLACE_COLUMNS > columns ? columns - IN_PLACE_COLUMNS : column;
}

static int32_t in_place_steps(const struct weight *w) { return (w->columns + IN_PLACE_COLUMNS - 1) / IN_PLACE_COLUMNS; }

/** Groups of the weight's columns, in whole registers. */
static int32_t in_place_groups(const struct weight *w) { return (w->columns / w->format.group + 15) / 16 * 16; }

/** The sums of x over the groups of a weight. */
static void sum_groups(const struct operand *o, int64_t row, int32_t columns, int32_t group, float *out) {
  const float *sums = o->sums + row * o->group_stride;
  int32_t each = group / OPERAND_GROUP;
  for (int32_t g = 0; g < columns / group; g++) {
    out[g] = 0;
    for (int32_t i = 0; i < each; i++) {
      out[g] += sums[g * each + i];
    }
  }
}

/** Arranged rows of x [steps][rows], and for biases that lie apart [rows][groups] sums. */
ALWAYS_INLINE void arrange(enum in_place kind, const struct product *p, uint8_t *arranged) {
  const struct weight *w = p->weight;
  int32_t steps = in_place_steps(w);
  for (int32_t j = 0; j < p->rows; j++) {
    int64_t row = operand_row(p, j);
    for (int32_t step = 0; step < steps; step++) {
      int32_t column = step_column(w->columns, step);
      arrange_step(kind, p->x, row, column, step * IN_PLACE_COLUMNS - column, arranged + ((int64_t)step * p->rows + j) * x_bytes(kind));
    }
    if (has_bias_apart(kind)) {
      sum_groups(p->x, row, w->columns, w->format.group, (float *)(arranged + (int64_t)steps * p->rows * x_bytes(kind)) + j * in_place_groups(w));
    }
  }
}

/** Sums over the lanes of each of 4 registers; the order of additions is the same for each of them. */
ALWAYS_INLINE __m128 sum_lanes(__m512 a, __m512 b, __m512 c, __m512 d) {
  __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)); /* a b a b in each quarter */
  __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  __m512 all = _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))),
      _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd))));
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), _mm512_extractf32x8_ps(all, 1));
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

ALWAYS_INLINE __m512 add_dot(__m512 sum, __m512i dot, __m512 scale, const uint8_t *x_scale) {
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(scale, _mm512_loadu_ps(x_scale)), sum);
}

/** sum += step . x. */
ALWAYS_INLINE __m512 multiply_step(enum in_place kind, const struct in_place_step *step, const uint8_t *x, __m512 sum) {
  __m512i low = _mm512_dpbusd_epi32(_mm512_loadu_si512(x + X_START), step->low, _mm512_loadu_si512(x + X_LOW));
  if (is_split(kind)) {
    __m512i high = _mm512_dpbusd_epi32(_mm512_loadu_si512(x + X_SPLIT), step->high, _mm512_loadu_si512(x + X_HIGH));
    sum = add_dot(add_dot(sum, low, step->scale, x + X_SCALE), high, step->high_scale, x + X_SPLIT + 64);
  } else {
    sum = add_dot(sum, _mm512_dpbusd_epi32(low, step->high, _mm512_loadu_si512(x + X_HIGH)), step->scale, x + X_SCALE);
  }
  return has_step_bias(kind) ? _mm512_fmadd_ps(step->bias, _mm512_loadu_ps(x + x_sums(kind)), sum) : sum;
}

/** What all rows of a weight have in common, found once: short rows take little more time than a division. */
struct in_place_row {
  int32_t columns, steps;
  int32_t group_shift;        /* of what lies apart, whose groups are powers of two */
  int32_t groups, all_groups; /* all_groups in whole registers */
  struct numbers numbers;
};

ALWAYS_INLINE struct in_place_row in_place_row_of(enum in_place kind, int element, const struct weight *w) {
  struct in_place_row row = {.columns = w->columns, .steps = in_place_steps(w)};
  if (is_apart(kind)) {
    row.group_shift = __builtin_ctz((unsigned)w->format.group);
    row.groups = w->columns >> row.group_shift;
    row.all_groups = in_place_groups(w);
    row.numbers = numbers_of(kind, element, w->format.group);
  }
  return row;
}

/** Rows first, first + apart, ... of a weight that are read side by side, `count` of them; what follows them repeats the last. */
struct side_by_side {
  int32_t first, apart, count;
  struct stored_row rows[IN_PLACE_ROWS];
  int64_t ahead;          /* bytes to what is prefetched */
  int64_t jump, ahead_to; /* the same from byte `ahead_to` of a row on, where it lies beyond these rows: in the next task's */
  int64_t numbers_ahead;  /* of scales and biases, whose rows are of one length */
};

/** y[xn] of these rows. */
ALWAYS_INLINE void multiply_in_place(enum in_place kind, int element, const struct product *p, const struct in_place_row *common, const struct side_by_side *side,
    const uint8_t *arranged, int32_t x_first, const int xn) {
  const struct stored_row *rows = side->rows;
  __m512 sums[IN_PLACE_X][IN_PLACE_ROWS];
#pragma GCC unroll 4
  for (int j = 0; j < xn; j++) {
#pragma GCC unroll 4
    for (int i = 0; i < IN_PLACE_ROWS; i++) {
      sums[j][i] = _mm512_setzero_ps();
    }
  }
  const int32_t columns = common->columns, steps = common->steps;
  const struct numbers numbers = common->numbers;
  const uint8_t *x = arranged + (int64_t)x_first * x_bytes(kind);
  for (int32_t s = 0; s < steps; s++, x += (int64_t)p->rows * x_bytes(kind)) {
    int64_t column = step_column(columns, s), number = is_apart(kind) ? (column >> common->group_shift) * numbers.size : 0;
    struct in_place_step step[IN_PLACE_ROWS];
    int64_t soon = step_offset(kind, column);
    soon += soon < side->ahead_to ? side->ahead : side->jump;
#pragma GCC unroll 4
    for (int i = 0; i < IN_PLACE_ROWS; i++) {
      for (int64_t line = 0; line < step_bytes(kind); line += 64) {
        _mm_prefetch(rows[i].values + soon + line, _MM_HINT_T0);
      }
      step[i] = load_step(kind, element, &numbers, rows[i], column, number);
    }
    if (is_apart(kind)) { /* a line of them lasts for many steps: each asks for one row's */
      _mm_prefetch(rows[s % IN_PLACE_ROWS].scales + number + side->numbers_ahead, _MM_HINT_T0);
      if (has_bias_apart(kind)) {
        _mm_prefetch(rows[s % IN_PLACE_ROWS].biases + number + side->numbers_ahead, _MM_HINT_T0);
      }
    }
#pragma GCC unroll 4
    for (int j = 0; j < xn; j++) {
#pragma GCC unroll 4
      for (int i = 0; i < IN_PLACE_ROWS; i++) {
        sums[j][i] = multiply_step(kind, step + i, x + j * x_bytes(kind), sums[j][i]);
      }
    }
  }
  if (has_bias_apart(kind)) {
    const int32_t all = common->all_groups, count = common->groups;
    const float *x_sums = (const float *)(arranged + (int64_t)steps * p->rows * x_bytes(kind)) + (int64_t)x_first * all;
    for (int32_t g = 0; g < count; g += 16) {
      __mmask16 some = (__mmask16)(count - g < 16 ? (1u << (count - g)) - 1 : 0xffff);
#pragma GCC unroll 4
      for (int i = 0; i < IN_PLACE_ROWS; i++) {
        __m512 bias = load_16_numbers(element, some, rows[i].biases + (int64_t)g * numbers.size);
#pragma GCC unroll 4
        for (int j = 0; j < xn; j++) {
          sums[j][i] = _mm512_fmadd_ps(bias, _mm512_maskz_loadu_ps(some, x_sums + j * all + g), sums[j][i]);
        }
      }
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < xn; j++) {
    float y[IN_PLACE_ROWS];
    _mm_storeu_ps(y, sum_lanes(sums[j][0], sums[j][1], sums[j][2], sums[j][3]));
    for (int i = 0; i < side->count; i++) {
      int32_t at = side->first + i * side->apart;
      p->y[(x_first + j) * p->y_stride + at] = y[i] + (p->bias ? p->bias[at] : 0);
    }
  }
}

/**
 * The rows that are read side by side lie far apart, so that each is a stream of its own, in pages of its own, to what the processor prefetches by
 * itself.
 */
ALWAYS_INLINE void multiply_rows_in_place(enum in_place kind, int element, const struct product *p, int32_t from, int32_t to, uint8_t *arranged) {
  arrange(kind, p, arranged);
  const struct in_place_row common = in_place_row_of(kind, element, p->weight);
  struct rows_from all = rows_from(p, from);
  const struct piece *piece = p->weight->pieces + p->matrix;
  const int64_t row_bytes = piece->values.row_bytes, number_bytes = piece->scales.row_bytes, bias_bytes = piece->biases.row_bytes;
  int32_t apart = (to - from) / IN_PLACE_ROWS, rest = (to - from) % IN_PLACE_ROWS;
  int64_t then = p->then ? (int64_t)((intptr_t)p->then - (intptr_t)all.first.values) : (to - from) * row_bytes;
  struct side_by_side side = {.first = from, .apart = apart, .count = IN_PLACE_ROWS, .ahead = PREFETCH_BYTES, .jump = then + PREFETCH_BYTES - apart * row_bytes};
  for (int32_t n = 0; n < apart + (rest > 0); n++, side.first++) {
    if (n == apart) {
      side.first = from + IN_PLACE_ROWS * apart;
      side.apart = 1;
      side.count = rest;
    }
    for (int i = 0; i < IN_PLACE_ROWS; i++) {
      if (n > 0 && n < apart && all.even) {
        side.rows[i].values += row_bytes;
        side.rows[i].scales += number_bytes;
        side.rows[i].biases += bias_bytes;
      } else {
        side.rows[i] = row_at(&all, side.first + (i < side.count ? i : side.count - 1) * side.apart);
      }
    }
    side.ahead_to = (apart - n) * row_bytes - PREFETCH_BYTES;
    side.numbers_ahead = (n + NUMBERS_AHEAD < apart ? NUMBERS_AHEAD : to - from + NUMBERS_AHEAD - apart) * number_bytes; /* at last those after `to`, also where another matrix is next */
    const int most = is_split(kind) ? IN_PLACE_X_SPLIT : IN_PLACE_X;
    for (int32_t row = 0; row < p->rows; row += most) {
      int xn = p->rows - row < most ? p->rows - row : most;
#define OF(n) if (n <= most && xn == n) multiply_in_place(kind, element, p, &common, &side, arranged, row, n)
      OF(1);
      OF(2);
      OF(3);
      OF(4);
#undef OF
    }
  }
}

/** Bytes of scratch. */
static int64_t product_scratch_in_place(const struct product *p) {
  enum in_place kind = in_place_of(&p->weight->format);
  int64_t sums = has_bias_apart(kind) ? in_place_groups(p->weight) * (int64_t)sizeof(float) : 0;
  return p->rows * (in_place_steps(p->weight) * (int64_t)x_bytes(kind) + sums);
}

static void product_rows_in_place(const struct product *p, int32_t from, int32_t to, void *scratch) {
  const struct format *f = &p->weight->format;
#define BLOCKS(kind) case kind: multiply_rows_in_place(kind, 0, p, from, to, scratch); return
#define APART(kind)                                                                                                   \
  case kind:                                                                                                          \
    f->scales == ES_BF16 ? multiply_rows_in_place(kind, ES_BF16, p, from, to, scratch)                                \
        : f->scales == ES_F16 ? multiply_rows_in_place(kind, ES_F16, p, from, to, scratch)                            \
                              : multiply_rows_in_place(kind, ES_F32, p, from, to, scratch);                           \
    return
  switch (in_place_of(f)) {
    BLOCKS(IN_PLACE_Q4_0);
    BLOCKS(IN_PLACE_Q4_1);
    BLOCKS(IN_PLACE_IQ4_NL);
    BLOCKS(IN_PLACE_MXFP4);
    BLOCKS(IN_PLACE_Q5_0);
    BLOCKS(IN_PLACE_Q5_1);
    BLOCKS(IN_PLACE_Q8_0);
    BLOCKS(IN_PLACE_Q6_K);
    BLOCKS(IN_PLACE_Q4_K);
    BLOCKS(IN_PLACE_Q5_K);
    APART(IN_PLACE_AFFINE4);
    APART(IN_PLACE_AFFINE8);
    APART(IN_PLACE_INT4);
    case IN_PLACE_E2M1: multiply_rows_in_place(IN_PLACE_E2M1, ES_E8M0, p, from, to, scratch); return;
    case IN_PLACE_NONE: return;
  }
#undef BLOCKS
#undef APART
}
#endif
