/*
 * Many rows of x times quantized weights, with AVX-512 VNNI. STRIP_ROWS rows of a weight are unpacked to bytes, STRIP_COLUMNS columns at a time,
 * which stay in the first cache while all rows of x are multiplied with them. In a panel four columns of 16 rows are one register, so that a dot
 * adds up 4 columns into 16 lanes, one for each row. Bytes are u with w = scale (u - center) + bias.
 */
#if defined(__AVX512F__)
#include "panel.h"

/** How the groups of a panel stand for weights. */
enum strip_kind {
  STRIP_CENTERED, /* scale (u - 2^shift) */
  STRIP_BIASED,   /* scale u + bias */
  STRIP_HALVES    /* scale (u - 2^shift), a scale for 16 columns: the second of a group is where biases are */
};

ALWAYS_INLINE enum strip_kind strip_kind_of(enum in_place kind) {
  return kind == IN_PLACE_Q6_K ? STRIP_HALVES : has_bias(kind) ? STRIP_BIASED : STRIP_CENTERED;
}

/** What dots of a group begin with, and what becomes of them. */
struct dots {
  __m512i of[STRIP_X][2];
};

/** dots of some groups, one after the other in dots, += their columns [from, to), 4 at a time. */
ALWAYS_INLINE void add_dots(int xn, int groups, const struct strip *strip, int g, int from, int to, const int8_t *const *q, struct dots *dots) {
#pragma GCC unroll 8
  for (int k = from; k < to; k++) {
#pragma GCC unroll 2
    for (int i = 0; i < groups; i++) {
      __m512i low = _mm512_load_si512(strip->values[8 * (g + i) + k][0]), high = _mm512_load_si512(strip->values[8 * (g + i) + k][16]);
#pragma GCC unroll 6
      for (int j = 0; j < xn; j++) {
        int32_t four;
        memcpy(&four, q[j] + 32 * (g + i) + 4 * k, 4);
        __m512i x = _mm512_set1_epi32(four);
        dots[i].of[j][0] = _mm512_dpbusd_epi32(dots[i].of[j][0], low, x);
        dots[i].of[j][1] = _mm512_dpbusd_epi32(dots[i].of[j][1], high, x);
      }
    }
  }
}

ALWAYS_INLINE void add_scaled_dots(int xn, const struct dots *dots, const float *scales, const float *const *x_scales, int g, __m512 (*total)[2]) {
  for (int h = 0; h < 2; h++) {
    __m512 scale = _mm512_load_ps(scales + 16 * h);
    for (int j = 0; j < xn; j++) {
      total[j][h] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots->of[j][h]), _mm512_mul_ps(scale, _mm512_set1_ps(x_scales[j][g])), total[j][h]);
    }
  }
}

/** Groups [g, g + count) of multiply_strip. */
ALWAYS_INLINE void multiply_groups(int xn, int count, enum strip_kind kind, const struct strip *strip, int g, const int8_t *const *q,
    const float *const *scales, const float *const *x_sums, const int32_t (*starts)[2][STRIP_GROUPS], __m512 (*total)[2]) {
  struct dots dots[2];
  for (int half = 0; half < (kind == STRIP_HALVES ? 2 : 1); half++) {
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < xn; j++) {
        dots[i].of[j][0] = dots[i].of[j][1] = kind == STRIP_BIASED ? _mm512_setzero_si512() : _mm512_set1_epi32(starts[j][half][g + i]);
      }
    }
    add_dots(xn, count, strip, g, 4 * half, kind == STRIP_HALVES ? 4 * half + 4 : 8, q, dots);
    for (int i = 0; i < count; i++) {
      add_scaled_dots(xn, dots + i, half == 0 ? strip->scales[g + i] : strip->biases[g + i], scales, g + i, total);
    }
  }
  for (int i = 0; i < count && kind == STRIP_BIASED; i++) {
    for (int h = 0; h < 2; h++) {
      __m512 bias = _mm512_load_ps(strip->biases[g + i] + 16 * h);
      for (int j = 0; j < xn; j++) {
        total[j][h] = _mm512_fmadd_ps(bias, _mm512_set1_ps(x_sums[j][g + i]), total[j][h]);
      }
    }
  }
}

/** What dots begin with, for what a center takes off: of whole groups, or of their halves. */
ALWAYS_INLINE void start_dots(enum strip_kind kind, int shift, const int32_t *negated, int groups, int32_t (*starts)[STRIP_GROUPS]) {
  if (kind == STRIP_BIASED) {
    return;
  }
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  const __m128i by = _mm_cvtsi32_si128(shift);
  uint32_t there = (uint32_t)((1ull << 2 * groups) - 1); /* of numbers */
  __m512i a = _mm512_maskz_loadu_epi32((__mmask16)there, negated), b = _mm512_maskz_loadu_epi32((__mmask16)(there >> 16), negated + 16);
  __m512i whole = _mm512_sll_epi32(_mm512_permutex2var_epi32(a, even, b), by), first = whole;
  if (kind == STRIP_HALVES) {
    first = _mm512_sll_epi32(_mm512_permutex2var_epi32(a, odd, b), by);
    _mm512_store_si512(starts[1], _mm512_sub_epi32(whole, first));
  }
  _mm512_store_si512(starts[0], first);
}

/** sums[xn][STRIP_ROWS] += panel . x. */
ALWAYS_INLINE void multiply_strip(int xn, enum strip_kind kind, int shift, const struct strip *strip, int groups, const struct operand *o,
    const int64_t *x_rows, int32_t column, bool first, float (*sums)[STRIP_ROWS]) {
  const int8_t *q[STRIP_X];
  const float *scales[STRIP_X], *x_sums[STRIP_X];
  _Alignas(64) int32_t starts[STRIP_X][2][STRIP_GROUPS];
  __m512 total[STRIP_X][2];
  for (int j = 0; j < xn; j++) {
    int64_t group = x_rows[j] * o->group_stride + column / 32;
    q[j] = o->q + x_rows[j] * o->q_stride + column;
    scales[j] = o->scales + group;
    x_sums[j] = o->sums + group;
    start_dots(kind, shift, o->negated + 2 * group, groups, starts[j]);
    for (int h = 0; h < 2; h++) {
      total[j][h] = first ? _mm512_setzero_ps() : _mm512_load_ps(sums[j] + 16 * h);
    }
  }
  /* a dot waits for the one before it: two groups at a time where rows of x are too few to fill the time */
  int g = 0;
  for (; xn <= 4 && g + 2 <= groups; g += 2) {
    multiply_groups(xn, 2, kind, strip, g, q, scales, x_sums, starts, total);
  }
  for (; g < groups; g++) {
    multiply_groups(xn, 1, kind, strip, g, q, scales, x_sums, starts, total);
  }
  for (int j = 0; j < xn; j++) {
    for (int h = 0; h < 2; h++) {
      _mm512_store_ps(sums[j] + 16 * h, total[j][h]);
    }
  }
}

ALWAYS_INLINE void multiply_rows(enum strip_kind kind, int shift, struct strip *strip, const struct product *p, int32_t row, int32_t count,
    int32_t column, int groups) {
  int32_t tiles = (count + STRIP_X - 1) / STRIP_X;
  for (int32_t tile = 0, at = 0; tile < tiles; tile++) {
    int xn = (count - at) / (tiles - tile); /* as even as can be */
    int64_t x_rows[STRIP_X];
    for (int j = 0; j < xn; j++) {
      x_rows[j] = operand_row(p, row + at + j);
    }
#define OF(n) case n: multiply_strip(n, kind, shift, strip, groups, p->x, x_rows, column, column == 0, strip->sums + at); break
    switch (xn) {
      OF(1);
      OF(2);
      OF(3);
      OF(4);
      OF(5);
      OF(6);
    }
#undef OF
    at += xn;
  }
}

static void multiply_all(enum in_place kind, struct strip *strip, const struct product *p, int32_t row, int32_t count, int32_t column, int groups) {
  switch (strip_kind_of(kind)) {
    case STRIP_CENTERED: multiply_rows(STRIP_CENTERED, center_shift(kind), strip, p, row, count, column, groups); return;
    case STRIP_BIASED: multiply_rows(STRIP_BIASED, 0, strip, p, row, count, column, groups); return;
    default: multiply_rows(STRIP_HALVES, center_shift(kind), strip, p, row, count, column, groups);
  }
}

/** Rows that lie unevenly, or are fewer than a strip, are brought together first; those that are not there are the last again. */
static void gather_rows(const struct product *p, int32_t first, int32_t count, int32_t column, struct strip *strip, struct strip_source *source) {
  const struct format *f = &p->weight->format;
  int32_t columns = source->groups * 32;
  int64_t values = format_row_bytes(f, columns), scales = format_scale_bytes(f, columns), biases = format_bias_bytes(f, columns);
  for (int i = 0; i < STRIP_ROWS; i++) {
    struct stored_row row = stored_row(p->weight, p->matrix, first + (i < count ? i : count - 1));
    memcpy(strip->gathered[i], row.values + format_row_bytes(f, column), (size_t)values);
    if (scales > 0) {
      memcpy(strip->gathered_scales[i], row.scales + format_scale_bytes(f, column), (size_t)scales);
    }
    if (biases > 0) {
      memcpy(strip->gathered_biases[i], row.biases + format_bias_bytes(f, column), (size_t)biases);
    }
  }
  *source = (struct strip_source){strip->gathered[0], strip->gathered_scales[0], strip->gathered_biases[0], sizeof strip->gathered[0],
      sizeof strip->gathered_scales[0], sizeof strip->gathered_biases[0], source->groups, NULL, 0, 0};
}

/** Columns from `column` on of rows from `first` on, the last of a task or not. */
static struct strip_source source_of(const struct product *p, int32_t first, int32_t count, bool last, int32_t column, struct strip *strip) {
  const struct weight *w = p->weight;
  const struct format *f = &w->format;
  const struct piece *piece = w->pieces + p->matrix;
  int32_t rest = w->columns - column;
  struct strip_source source = {.groups = (rest < STRIP_COLUMNS ? rest : STRIP_COLUMNS) / 32};
  if (count < STRIP_ROWS || first / w->row_block != (first + count - 1) / w->row_block || piece->values.shared_by > 1
      || piece->scales.shared_by > 1 || piece->biases.shared_by > 1) {
    gather_rows(p, first, count, column, strip, &source);
    return source;
  }
  struct stored_row row = stored_row(w, p->matrix, first);
  source.values = row.values + format_row_bytes(f, column);
  source.scales = row.scales ? row.scales + format_scale_bytes(f, column) : NULL;
  source.biases = row.biases ? row.biases + format_bias_bytes(f, column) : NULL;
  source.row = piece->values.row_bytes;
  source.scale_row = piece->scales.row_bytes;
  source.bias_row = piece->biases.row_bytes;
  const uint8_t *next = last && p->then ? p->then : row.values + STRIP_ROWS * source.row;
  source.next_stream = STRIP_ROWS / NEXT_STREAMS * source.row;
  source.next = next + STRIP_ROWS / NEXT_STREAMS * format_row_bytes(f, column);
  source.next_bytes = STRIP_ROWS * format_row_bytes(f, source.groups * 32) / source.groups;
  return source;
}

static void product_rows_strip(const struct product *p, int32_t from, int32_t to, struct strip *strip) {
  const struct weight *w = p->weight;
  enum in_place kind = in_place_of(&w->format);
  for (int32_t first = from; first < to; first += STRIP_ROWS) {
    int32_t wn = to - first < STRIP_ROWS ? to - first : STRIP_ROWS;
    for (int32_t row = 0; row < p->rows; row += STRIP_SUMS) {
      int32_t count = p->rows - row < STRIP_SUMS ? p->rows - row : STRIP_SUMS;
      for (int32_t column = 0; column < w->columns; column += STRIP_COLUMNS) {
        struct strip_source source = source_of(p, first, wn, first + STRIP_ROWS >= to, column, strip);
        unpack(kind, &w->format, strip, &source);
        multiply_all(kind, strip, p, row, count, column, source.groups);
      }
      for (int32_t j = 0; j < count; j++) {
        float *y = p->y + (row + j) * p->y_stride + first;
        for (int h = 0; h < 2; h++) {
          int rows = wn - 16 * h;
          __mmask16 mask = rows >= 16 ? 0xffff : rows > 0 ? (__mmask16)((1 << rows) - 1) : 0;
          __m512 sums = _mm512_load_ps(strip->sums[j] + 16 * h);
          if (p->bias) {
            sums = _mm512_add_ps(sums, _mm512_maskz_loadu_ps(mask, p->bias + first + 16 * h));
          }
          _mm512_mask_storeu_ps(y + 16 * h, mask, sums);
        }
      }
    }
  }
}
#endif
