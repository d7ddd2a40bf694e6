/*
 * A few rows of x (decode) times weights of 4 bits, in place, with AVX-512 VNNI. A step takes 128 columns, 64 bytes of nibbles: byte lane i of a
 * register holds two columns, dword lanes 4 g to 4 g + 3 are group g of 32. One dot of unsigned nibbles with signed x for the low nibbles, one
 * for the high ones. Nibbles stand for u - center, where the sum of x brings in the center exactly, or for scale u + bias.
 */
#if defined(__AVX512F__)
#include "product_rows.h"

/** How 128 columns are laid out, and what a nibble stands for. */
enum nibbles {
  NIBBLES_Q4_0,    /* d, 16 bytes: halves of a block in low and high nibbles; u - 8 */
  NIBBLES_Q4_1,    /* d, m, 16 bytes */
  NIBBLES_IQ4_NL,  /* d, 16 bytes, a table */
  NIBBLES_MXFP4,   /* exponent, 16 bytes, a table of halves */
  NIBBLES_AFFINE,  /* columns alternate between low and high nibbles; scales and biases apart */
  NIBBLES_E2M1,    /* likewise, a table of halves; scales apart */
  NIBBLES_NONE
};

#define NIBBLE_COLUMNS 128
#define NIBBLE_ROWS 4 /* of a weight at a time: x is prepared once for them */
#define NIBBLE_X 2    /* rows of x at most at a time */

static enum nibbles nibbles_of(const struct format *f) {
  if (f->kind == ES_BLOCK) {
    return f->type == ES_Q4_0 ? NIBBLES_Q4_0 : f->type == ES_Q4_1 ? NIBBLES_Q4_1 : f->type == ES_IQ4_NL ? NIBBLES_IQ4_NL
         : f->type == ES_MXFP4 ? NIBBLES_MXFP4 : NIBBLES_NONE;
  }
  if (f->group != 32 && f->group != 64 && f->group != 128) {
    return NIBBLES_NONE;
  }
  if (f->kind == ES_AFFINE) {
    return f->type == 4 ? NIBBLES_AFFINE : NIBBLES_NONE;
  }
  return f->kind == ES_SCALED && f->type == ES_E2M1 && f->scales == ES_E8M0 && f->group == 32 ? NIBBLES_E2M1 : NIBBLES_NONE;
}

ALWAYS_INLINE bool in_blocks(enum nibbles kind) { return kind <= NIBBLES_MXFP4; }

ALWAYS_INLINE int block_size(enum nibbles kind) { return kind == NIBBLES_Q4_1 ? 20 : kind == NIBBLES_MXFP4 ? 17 : 18; }

/** What is taken off u, or 0. Powers of two, so that it is a shift of the sum. */
ALWAYS_INLINE int center_shift(enum nibbles kind) {
  return kind == NIBBLES_Q4_0 ? 3 : kind == NIBBLES_IQ4_NL ? 7 : kind == NIBBLES_MXFP4 || kind == NIBBLES_E2M1 ? 4 : -1;
}

ALWAYS_INLINE bool has_bias(enum nibbles kind) { return kind == NIBBLES_Q4_1 || kind == NIBBLES_AFFINE; }

/** E2M1 is kept as halves: 2 v + 16. */
ALWAYS_INLINE bool is_halved(enum nibbles kind) { return kind == NIBBLES_MXFP4 || kind == NIBBLES_E2M1; }

/** The low 4 bits of each byte as u. */
ALWAYS_INLINE __m512i nibble_values(enum nibbles kind, __m512i nibbles) {
  __m512i low = _mm512_and_si512(nibbles, _mm512_set1_epi8(0xf));
  if (is_halved(kind)) {
    const __m128i table = _mm_setr_epi8(16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), low);
  }
  if (kind == NIBBLES_IQ4_NL) { /* from ggml-common.h, 128 added */
    const __m128i table = _mm_setr_epi8(1, 24, 45, 63, 79, 93, 106, 118, (char)129, (char)141, (char)153, (char)166, (char)181, (char)197,
        (char)217, (char)241);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), low);
  }
  return low;
}

ALWAYS_INLINE __m512 float_of_e8m0(__m512i exponents) {
  return _mm512_castsi512_ps(_mm512_max_epu32(_mm512_slli_epi32(exponents, 23), _mm512_set1_epi32(0x00400000)));
}

/** Numbers that stand apart: where those of a step lie, and how they come to the lanes of their groups. */
struct numbers {
  int size;        /* bytes of one */
  __mmask16 bytes; /* of a step */
  __m512i lanes;
};

ALWAYS_INLINE struct numbers numbers_of(int element, int group) {
  static const int32_t lanes[3][16] = {{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}, {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1}, {0}};
  int size = element == ES_F32 ? 4 : element == ES_E8M0 ? 1 : 2;
  return (struct numbers){size, (__mmask16)((1u << (NIBBLE_COLUMNS / group * size)) - 1), _mm512_loadu_si512(lanes[group / 64])};
}

/** The numbers of a step, each in the 4 lanes of its group of 32, or of its groups where they are longer. Touches no byte beyond them. */
ALWAYS_INLINE __m512 spread_numbers(int element, const struct numbers *numbers, const uint8_t *p) {
  __m128i bytes = _mm_maskz_loadu_epi8(numbers->bytes, p);
  if (element == ES_F16) {
    return _mm512_permutexvar_ps(numbers->lanes, _mm512_castps128_ps512(_mm_cvtph_ps(bytes)));
  }
  bytes = element == ES_BF16 ? _mm_unpacklo_epi16(_mm_setzero_si128(), bytes) : element == ES_E8M0 ? _mm_cvtepu8_epi32(bytes) : bytes;
  __m512i spread = _mm512_permutexvar_epi32(numbers->lanes, _mm512_castsi128_si512(bytes));
  return element == ES_E8M0 ? float_of_e8m0(spread) : _mm512_castsi512_ps(spread);
}

/** A step of one weight row. */
struct nibble_step {
  __m512i low, high;
  __m512 scale, bias;
};

#define RUN(at) at, at + 1, at + 2, at + 3, at + 4, at + 5, at + 6, at + 7, at + 8, at + 9, at + 10, at + 11, at + 12, at + 13, at + 14, at + 15
#define FOUR(at) at, at, at, at

/** For vpermb: the nibbles of 4 blocks with a header of 1, 2 or 4 bytes; those of the last lie beyond 64 bytes. */
static const int8_t block_runs[3][64] = {{RUN(1), RUN(18), RUN(35), RUN(52)}, {RUN(2), RUN(20), RUN(38), RUN(56)}, {RUN(4), RUN(24), RUN(44), RUN(64 - 64)}};
/** For vpermw: the first word of each of 4 blocks of 18, 20 bytes, and the second of 20. */
static const int16_t block_words[3][32] = {
    {FOUR(0), FOUR(9), FOUR(18), FOUR(27)}, {FOUR(0), FOUR(10), FOUR(20), FOUR(30)}, {FOUR(1), FOUR(11), FOUR(21), FOUR(31)}};
/** For vpermb from two registers: every other byte. */
static const int8_t every_other[2][64] = {
#define EVERY_OTHER(at) at, at + 2, at + 4, at + 6, at + 8, at + 10, at + 12, at + 14, at + 16, at + 18, at + 20, at + 22, at + 24, at + 26, at + 28, at + 30
    {EVERY_OTHER(0), EVERY_OTHER(32), EVERY_OTHER(64), EVERY_OTHER(96)}, {EVERY_OTHER(1), EVERY_OTHER(33), EVERY_OTHER(65), EVERY_OTHER(97)}};

ALWAYS_INLINE struct nibble_step load_nibbles(
    enum nibbles kind, int element, const struct numbers *numbers, struct stored_row row, int64_t at, int64_t number) {
  struct nibble_step step = {.bias = _mm512_setzero_ps()};
  __m512i raw;
  if (in_blocks(kind)) {
    int size = block_size(kind), header = size - 16;
    __m512i most = _mm512_loadu_si512(row.values + at); /* 3 blocks and the beginning of the 4th, its scale among it */
    raw = _mm512_mask_broadcast_i32x4(_mm512_permutexvar_epi8(_mm512_loadu_si512(block_runs[header / 2]), most), 0xf000,
        _mm_loadu_si128((const __m128i *)(row.values + at + 3 * size + header)));
    if (kind == NIBBLES_MXFP4) {
      const __m512i exponents = _mm512_setr_epi32(0, 0, 0, 0, 17, 17, 17, 17, 34, 34, 34, 34, 51, 51, 51, 51);
      step.scale = float_of_e8m0(_mm512_maskz_permutexvar_epi8(0x1111111111111111, exponents, most));
    } else {
      step.scale = _mm512_cvtph_ps(
          _mm512_castsi512_si256(_mm512_permutexvar_epi16(_mm512_loadu_si512(block_words[kind == NIBBLES_Q4_1]), most)));
      if (kind == NIBBLES_Q4_1) {
        step.bias = _mm512_cvtph_ps(_mm512_castsi512_si256(_mm512_permutexvar_epi16(_mm512_loadu_si512(block_words[2]), most)));
      }
    }
  } else {
    raw = _mm512_loadu_si512(row.values + at);
    step.scale = spread_numbers(element, numbers, row.scales + number);
    if (kind == NIBBLES_AFFINE) {
      step.bias = spread_numbers(element, numbers, row.biases + number);
    }
  }
  step.low = nibble_values(kind, raw);
  step.high = nibble_values(kind, _mm512_srli_epi16(raw, 4));
  return step;
}

/** The same columns of one row of x. */
struct nibble_x {
  __m512i low, high, start;
  __m512 scale, sum;
};

ALWAYS_INLINE struct nibble_x nibble_x(enum nibbles kind, const struct operand *o, int64_t row, int32_t column, int32_t done) {
  const int8_t *q = o->q + row * o->q_stride + column;
  int64_t group = row * o->group_stride + column / 32;
  __m512i a = _mm512_loadu_si512(q), b = _mm512_loadu_si512(q + 64);
  struct nibble_x x;
  if (in_blocks(kind)) {
    x.low = _mm512_shuffle_i64x2(a, b, 0x88);
    x.high = _mm512_shuffle_i64x2(a, b, 0xdd);
  } else {
    x.low = _mm512_permutex2var_epi8(a, _mm512_loadu_si512(every_other[0]), b);
    x.high = _mm512_permutex2var_epi8(a, _mm512_loadu_si512(every_other[1]), b);
  }
  /* groups that are not done */
  __mmask16 todo = (__mmask16)(0xffff << done / 8);
  const __m512i spread = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  x.scale = _mm512_maskz_permutexvar_ps(todo, spread, _mm512_castps128_ps512(_mm_loadu_ps(o->scales + group)));
  if (is_halved(kind)) {
    x.scale = _mm512_mul_ps(x.scale, _mm512_set1_ps(0.5f));
  }
  if (has_bias(kind)) {
    x.sum = _mm512_maskz_permutexvar_ps(todo & 0x1111, spread, _mm512_castps128_ps512(_mm_loadu_ps(o->sums + group)));
  }
  x.start = _mm512_setzero_si512();
  if (center_shift(kind) >= 0) {
    const __m512i ones = _mm512_set1_epi8(1);
    __m512i sums = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(x.start, ones, x.low), ones, x.high);
    x.start = _mm512_sub_epi32(x.start, _mm512_slli_epi32(sums, center_shift(kind) < 0 ? 0 : center_shift(kind)));
  }
  return x;
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

/** y[xn][first, first + wn). */
ALWAYS_INLINE void dot_nibbles(enum nibbles kind, int element, const struct product *p, int32_t first, int wn, int32_t x_first, int xn) {
  const struct weight *w = p->weight;
  struct stored_row rows[NIBBLE_ROWS];
  stored_rows(w, p->matrix, first, wn, rows);
  for (int i = wn; i < NIBBLE_ROWS; i++) {
    rows[i] = rows[wn - 1];
  }
  int64_t x_rows[NIBBLE_X];
  __m512 sums[NIBBLE_X][NIBBLE_ROWS];
  for (int j = 0; j < xn; j++) {
    x_rows[j] = operand_row(p, x_first + j);
    for (int i = 0; i < NIBBLE_ROWS; i++) {
      sums[j][i] = _mm512_setzero_ps();
    }
  }
  int32_t columns = w->columns, group = w->format.group;
  struct numbers numbers = numbers_of(element, group);
  int64_t ahead = prefetch_distance(p, NIBBLE_ROWS);
  for (int32_t column = 0; column < columns; column += NIBBLE_COLUMNS) {
    int32_t done = column + NIBBLE_COLUMNS > columns ? column + NIBBLE_COLUMNS - columns : 0;
    column -= done; /* the last step begins earlier; what it meets again counts 0 */
    struct nibble_x x[NIBBLE_X];
    for (int j = 0; j < xn; j++) {
      x[j] = nibble_x(kind, p->x, x_rows[j], column, done);
    }
    int64_t at = column / 32 * (int64_t)(in_blocks(kind) ? block_size(kind) : 16);
    int64_t number = in_blocks(kind) ? 0 : column / group * (int64_t)numbers.size;
    for (int i = 0; i < NIBBLE_ROWS; i++) {
      _mm_prefetch(rows[i].values + at + ahead, _MM_HINT_T0);
      _mm_prefetch(rows[i].values + at + ahead + 64, _MM_HINT_T0);
      struct nibble_step step = load_nibbles(kind, element, &numbers, rows[i], at, number);
      for (int j = 0; j < xn; j++) {
        __m512i dot = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(x[j].start, step.low, x[j].low), step.high, x[j].high);
        sums[j][i] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), _mm512_mul_ps(step.scale, x[j].scale), sums[j][i]);
        if (has_bias(kind)) {
          sums[j][i] = _mm512_fmadd_ps(step.bias, x[j].sum, sums[j][i]);
        }
      }
    }
  }
  for (int j = 0; j < xn; j++) {
    float y[NIBBLE_ROWS];
    _mm_storeu_ps(y, sum_lanes(sums[j][0], sums[j][1], sums[j][2], sums[j][3]));
    for (int i = 0; i < wn; i++) {
      p->y[(x_first + j) * p->y_stride + first + i] = y[i] + (p->bias ? p->bias[first + i] : 0);
    }
  }
}

ALWAYS_INLINE void nibble_rows_of(enum nibbles kind, int element, const struct product *p, int32_t from, int32_t to) {
  for (int32_t first = from; first < to; first += NIBBLE_ROWS) {
    int wn = to - first < NIBBLE_ROWS ? to - first : NIBBLE_ROWS;
    int32_t row = 0;
    for (; row <= p->rows - NIBBLE_X; row += NIBBLE_X) {
      dot_nibbles(kind, element, p, first, wn, row, NIBBLE_X);
    }
    if (row < p->rows) {
      dot_nibbles(kind, element, p, first, wn, row, 1);
    }
  }
}

static void nibble_rows(const struct product *p, int32_t from, int32_t to) {
  const struct format *f = &p->weight->format;
  switch (nibbles_of(f)) {
    case NIBBLES_Q4_0: nibble_rows_of(NIBBLES_Q4_0, ES_F16, p, from, to); return;
    case NIBBLES_Q4_1: nibble_rows_of(NIBBLES_Q4_1, ES_F16, p, from, to); return;
    case NIBBLES_IQ4_NL: nibble_rows_of(NIBBLES_IQ4_NL, ES_F16, p, from, to); return;
    case NIBBLES_MXFP4: nibble_rows_of(NIBBLES_MXFP4, ES_E8M0, p, from, to); return;
    case NIBBLES_AFFINE:
      f->scales == ES_BF16 ? nibble_rows_of(NIBBLES_AFFINE, ES_BF16, p, from, to)
          : f->scales == ES_F16 ? nibble_rows_of(NIBBLES_AFFINE, ES_F16, p, from, to) : nibble_rows_of(NIBBLES_AFFINE, ES_F32, p, from, to);
      return;
    case NIBBLES_E2M1: nibble_rows_of(NIBBLES_E2M1, ES_E8M0, p, from, to); return;
    default: return;
  }
}
#endif
