/*
 * Many rows of x times quantized weights, with AVX-512 VNNI. STRIP_ROWS rows of a weight are unpacked to bytes, STRIP_COLUMNS columns at a time,
 * which stay in the first cache while all rows of x are multiplied with them. In a panel four columns of 16 rows are one register, so that a dot
 * adds up 4 columns into 16 lanes, one for each row. Bytes are u with w = scale (u - center) + bias.
 */
#if defined(__AVX512F__)
#include "product_rows.h"

#define STRIP_ROWS 32
#define STRIP_COLUMNS 512
#define STRIP_GROUPS (STRIP_COLUMNS / OPERAND_GROUP)
#define STRIP_X 6        /* rows of x in registers */
#define STRIP_SUMS 1024  /* rows of x for which a panel is unpacked once */

struct strip {
  _Alignas(64) uint8_t values[STRIP_COLUMNS / 4][STRIP_ROWS][4];
  _Alignas(64) float scales[STRIP_GROUPS][STRIP_ROWS], biases[STRIP_GROUPS][STRIP_ROWS];
  _Alignas(64) uint16_t halves[2][STRIP_GROUPS][STRIP_ROWS]; /* scales and biases that are still in 16 bits */
  uint8_t gathered[STRIP_ROWS][STRIP_COLUMNS * 2], gathered_scales[STRIP_ROWS][STRIP_GROUPS * 4], gathered_biases[STRIP_ROWS][STRIP_GROUPS * 4];
  _Alignas(64) float sums[STRIP_SUMS][STRIP_ROWS];
};

/** A panel as it is stored: STRIP_ROWS rows at even distances. */
struct strip_source {
  const uint8_t *values, *scales, *biases;
  int64_t row, scale_row, bias_row; /* bytes from row to row */
  int groups;
  int64_t ahead, ahead_bytes; /* from the values to those of the next panel, and bytes of a row in it */
};

/** 16 bytes of each of 16 rows, `row` bytes apart; out[i] has bytes 4 i to 4 i + 3 of each row, row by row. */
ALWAYS_INLINE void load_transposed(const uint8_t *p, int64_t row, __m512i out[4]) {
  __m512i z[4];
  for (int i = 0; i < 4; i++) {
    z[i] = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(p + i * row)));
    z[i] = _mm512_mask_broadcast_i32x4(z[i], 0x00f0, _mm_loadu_si128((const __m128i *)(p + 4 * row + i * row)));
    z[i] = _mm512_mask_broadcast_i32x4(z[i], 0x0f00, _mm_loadu_si128((const __m128i *)(p + 8 * row + i * row)));
    z[i] = _mm512_mask_broadcast_i32x4(z[i], 0xf000, _mm_loadu_si128((const __m128i *)(p + 12 * row + i * row)));
  }
  __m512i a = _mm512_unpacklo_epi32(z[0], z[1]), b = _mm512_unpackhi_epi32(z[0], z[1]);
  __m512i c = _mm512_unpacklo_epi32(z[2], z[3]), d = _mm512_unpackhi_epi32(z[2], z[3]);
  out[0] = _mm512_unpacklo_epi64(a, c);
  out[1] = _mm512_unpackhi_epi64(a, c);
  out[2] = _mm512_unpacklo_epi64(b, d);
  out[3] = _mm512_unpackhi_epi64(b, d);
}

/** A part of the next panel: with each group two rows, so that all are asked for. */
ALWAYS_INLINE void prefetch_rows(const struct strip_source *source, int g) {
  for (int i = 0; i < STRIP_ROWS / STRIP_GROUPS; i++) {
    const uint8_t *row = source->values + source->ahead + (STRIP_ROWS / STRIP_GROUPS * g + i) * source->row;
    for (int64_t at = 0; at < source->ahead_bytes + 63; at += 64) {
      _mm_prefetch(row + at, _MM_HINT_T0);
    }
  }
}

ALWAYS_INLINE void store_columns(struct strip *strip, int column, int half, __m512i values) {
  _mm512_store_si512(strip->values[(unsigned)column / 4][half * 16], values);
}

/** Numbers of 16 bits of all groups as floats; each fills `each` groups. */
ALWAYS_INLINE void widen(int element, uint16_t (*halves)[STRIP_ROWS], float (*out)[STRIP_ROWS], int groups, int each) {
  for (int g = 0; g < groups; g++) {
    for (int half = 0; half < 2; half++) {
      __m256i bits = _mm256_load_si256((const __m256i *)&halves[g / each][half * 16]);
      __m512 floats = element == ES_F16 ? _mm512_cvtph_ps(bits)
          : element == ES_E8M0 ? _mm512_mul_ps(float_of_e8m0(_mm512_cvtepu16_epi32(bits)), _mm512_set1_ps(0.5f)) /* values are halved */
                               : _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
      _mm512_store_ps(&out[g][half * 16], floats);
    }
  }
}

ALWAYS_INLINE uint16_t bits16(const uint8_t *p) {
  uint16_t bits;
  memcpy(&bits, p, sizeof bits);
  return bits;
}

ALWAYS_INLINE void unpack_nibble_blocks(enum nibbles kind, struct strip *strip, const struct strip_source *source) {
  int size = block_size(kind), header = size - 16;
  for (int g = 0; g < source->groups; g++) {
    prefetch_rows(source, g);
    for (int half = 0; half < 2; half++) {
      __m512i packed[4];
      load_transposed(source->values + 16 * half * source->row + g * size + header, source->row, packed);
      for (int i = 0; i < 4; i++) {
        store_columns(strip, 32 * g + 4 * i, half, nibble_values(kind, packed[i]));
        store_columns(strip, 32 * g + 16 + 4 * i, half, nibble_values(kind, _mm512_srli_epi16(packed[i], 4)));
      }
    }
  }
  for (int r = 0; r < STRIP_ROWS; r++) {
    const uint8_t *block = source->values + r * source->row;
    for (int first = 0; first < source->groups; first += 4, block += 4 * size) {
#pragma GCC unroll 4
      for (int g = 0; g < 4; g++) { /* what lies beyond the row's end is not used */
        const uint8_t *p = first + g < source->groups ? block + g * size : block;
        strip->halves[0][first + g][r] = kind == NIBBLES_MXFP4 ? *p : bits16(p);
        if (kind == NIBBLES_Q4_1) {
          strip->halves[1][first + g][r] = bits16(p + 2);
        }
      }
    }
  }
  if (kind == NIBBLES_MXFP4) {
    widen(ES_E8M0, strip->halves[0], strip->scales, source->groups, 1);
  } else {
    widen(ES_F16, strip->halves[0], strip->scales, source->groups, 1);
    if (kind == NIBBLES_Q4_1) {
      widen(ES_F16, strip->halves[1], strip->biases, source->groups, 1);
    }
  }
}

/** Scales, or biases, in a region of their own. */
static void unpack_numbers(const struct format *f, struct strip *strip, const struct strip_source *source, bool biases) {
  int element = f->scales, each = f->group / 32, count = (source->groups + each - 1) / each;
  float(*out)[STRIP_ROWS] = biases ? strip->biases : strip->scales;
  uint16_t(*halves)[STRIP_ROWS] = strip->halves[biases];
  for (int r = 0; r < STRIP_ROWS; r++) {
    const uint8_t *p = biases ? source->biases + r * source->bias_row : source->scales + r * source->scale_row;
    if (element == ES_F32) {
      for (int g = 0; g < source->groups; g++) {
        memcpy(&out[g][r], p + g / each * 4, 4);
      }
    } else {
      for (int g = 0; g < count; g++) {
        halves[g][r] = element == ES_E8M0 ? p[g] : bits16(p + 2 * g);
      }
    }
  }
  if (element == ES_E8M0) {
    widen(ES_E8M0, halves, out, source->groups, each);
  } else if (element == ES_F16) {
    widen(ES_F16, halves, out, source->groups, each);
  } else if (element == ES_BF16) {
    widen(ES_BF16, halves, out, source->groups, each);
  }
}

/** Nibbles that alternate: the low one of a byte is an even column. */
ALWAYS_INLINE void unpack_alternating(enum nibbles kind, struct strip *strip, const struct strip_source *source) {
  /* of 8 bytes, two rows with 4 each: where the 4 nibbles of their first two bytes begin, and of their last two */
  const __m512i first = _mm512_set1_epi64(0x2c2824200c080400), last = _mm512_set1_epi64(0x3c3834301c181410);
  for (int g = 0; g < source->groups; g++) {
    prefetch_rows(source, g);
    for (int half = 0; half < 2; half++) {
      __m512i packed[4];
      load_transposed(source->values + 16 * half * source->row + g * 16, source->row, packed);
      for (int i = 0; i < 4; i++) {
        store_columns(strip, 32 * g + 8 * i, half, nibble_values(kind, _mm512_multishift_epi64_epi8(first, packed[i])));
        store_columns(strip, 32 * g + 8 * i + 4, half, nibble_values(kind, _mm512_multishift_epi64_epi8(last, packed[i])));
      }
    }
  }
}

/** sums[xn][STRIP_ROWS] += panel . x. */
ALWAYS_INLINE void multiply_strip(int xn, bool biased, int shift, const struct strip *strip, int groups, const struct operand *o,
    const int64_t *x_rows, int32_t column, bool first, float (*sums)[STRIP_ROWS]) {
  const int8_t *q[STRIP_X];
  const float *scales[STRIP_X], *x_sums[STRIP_X];
  const int32_t *negated[STRIP_X];
  __m512 total[STRIP_X][2];
  for (int j = 0; j < xn; j++) {
    int64_t group = x_rows[j] * o->group_stride + column / 32;
    q[j] = o->q + x_rows[j] * o->q_stride + column;
    scales[j] = o->scales + group;
    x_sums[j] = o->sums + group;
    negated[j] = o->negated + 2 * group;
    for (int h = 0; h < 2; h++) {
      total[j][h] = first ? _mm512_setzero_ps() : _mm512_load_ps(sums[j] + 16 * h);
    }
  }
  for (int g = 0; g < groups; g++) {
    __m512i dots[STRIP_X][2];
    for (int j = 0; j < xn; j++) {
      dots[j][0] = dots[j][1] = biased ? _mm512_setzero_si512() : _mm512_sll_epi32(_mm512_set1_epi32(negated[j][2 * g]), _mm_cvtsi32_si128(shift));
    }
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++) {
      __m512i low = _mm512_load_si512(strip->values[8 * g + k][0]), high = _mm512_load_si512(strip->values[8 * g + k][16]);
      for (int j = 0; j < xn; j++) {
        int32_t four;
        memcpy(&four, q[j] + 32 * g + 4 * k, 4);
        __m512i x = _mm512_set1_epi32(four);
        dots[j][0] = _mm512_dpbusd_epi32(dots[j][0], low, x);
        dots[j][1] = _mm512_dpbusd_epi32(dots[j][1], high, x);
      }
    }
    for (int h = 0; h < 2; h++) {
      __m512 scale = _mm512_load_ps(strip->scales[g] + 16 * h), bias = biased ? _mm512_load_ps(strip->biases[g] + 16 * h) : scale;
      for (int j = 0; j < xn; j++) {
        total[j][h] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[j][h]), _mm512_mul_ps(scale, _mm512_set1_ps(scales[j][g])), total[j][h]);
        if (biased) {
          total[j][h] = _mm512_fmadd_ps(bias, _mm512_set1_ps(x_sums[j][g]), total[j][h]);
        }
      }
    }
  }
  for (int j = 0; j < xn; j++) {
    for (int h = 0; h < 2; h++) {
      _mm512_store_ps(sums[j] + 16 * h, total[j][h]);
    }
  }
}

ALWAYS_INLINE void multiply_all(bool biased, int shift, struct strip *strip, const struct product *p, int32_t row, int32_t count,
    int32_t column, int groups) {
  int32_t tiles = (count + STRIP_X - 1) / STRIP_X;
  for (int32_t tile = 0, at = 0; tile < tiles; tile++) {
    int xn = (count - at) / (tiles - tile); /* as even as can be */
    int64_t x_rows[STRIP_X];
    for (int j = 0; j < xn; j++) {
      x_rows[j] = operand_row(p, row + at + j);
    }
#define OF(n) case n: multiply_strip(n, biased, shift, strip, groups, p->x, x_rows, column, column == 0, strip->sums + at); break
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

static void multiply_centered(int shift, struct strip *strip, const struct product *p, int32_t row, int32_t count, int32_t column, int groups) {
  multiply_all(false, shift, strip, p, row, count, column, groups);
}

static void multiply_biased(struct strip *strip, const struct product *p, int32_t row, int32_t count, int32_t column, int groups) {
  multiply_all(true, 0, strip, p, row, count, column, groups);
}

/** @return the center's shift, or -1 where there are biases */
static int unpack(const struct format *f, struct strip *strip, const struct strip_source *source) {
  switch (nibbles_of(f)) {
    case NIBBLES_Q4_0: unpack_nibble_blocks(NIBBLES_Q4_0, strip, source); return 3;
    case NIBBLES_Q4_1: unpack_nibble_blocks(NIBBLES_Q4_1, strip, source); return -1;
    case NIBBLES_IQ4_NL: unpack_nibble_blocks(NIBBLES_IQ4_NL, strip, source); return 7;
    case NIBBLES_MXFP4: unpack_nibble_blocks(NIBBLES_MXFP4, strip, source); return 4;
    case NIBBLES_AFFINE:
      unpack_alternating(NIBBLES_AFFINE, strip, source);
      unpack_numbers(f, strip, source, false);
      unpack_numbers(f, strip, source, true);
      return -1;
    default:
      unpack_alternating(NIBBLES_E2M1, strip, source);
      unpack_numbers(f, strip, source, false);
      return 4;
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
      sizeof strip->gathered_scales[0], sizeof strip->gathered_biases[0], source->groups, 0, 0};
}

/** Columns from `column` on of rows from `first` on. */
static struct strip_source source_of(const struct product *p, int32_t first, int32_t count, int32_t column, struct strip *strip) {
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
  source.ahead_bytes = format_row_bytes(f, source.groups * 32);
  source.ahead = rest > STRIP_COLUMNS ? source.ahead_bytes : STRIP_ROWS * source.row - format_row_bytes(f, column);
  return source;
}

static void product_rows_strip(const struct product *p, int32_t from, int32_t to, struct strip *strip) {
  const struct weight *w = p->weight;
  for (int32_t first = from; first < to; first += STRIP_ROWS) {
    int32_t wn = to - first < STRIP_ROWS ? to - first : STRIP_ROWS;
    for (int32_t row = 0; row < p->rows; row += STRIP_SUMS) {
      int32_t count = p->rows - row < STRIP_SUMS ? p->rows - row : STRIP_SUMS;
      for (int32_t column = 0; column < w->columns; column += STRIP_COLUMNS) {
        struct strip_source source = source_of(p, first, wn, column, strip);
        int shift = unpack(&w->format, strip, &source);
        if (shift < 0) {
          multiply_biased(strip, p, row, count, column, source.groups);
        } else {
          multiply_centered(shift, strip, p, row, count, column, source.groups);
        }
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
