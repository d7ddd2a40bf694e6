/*
 * Quantized weights as a dot of bytes reads them where they lie, with AVX-512: 128 columns of a row at a time, in two registers of 64 unsigned bytes
 * u. They stand for scale (u - center) or scale u + bias. Kinds that have one scale for the lanes of both registers are added up in one dot, others
 * in two.
 */
#if defined(__AVX512F__)
#ifndef ES_IN_PLACE_H
#define ES_IN_PLACE_H

#include "product_rows.h"

enum in_place {
  IN_PLACE_Q4_0,    /* d, 16 bytes: halves of a block in low and high nibbles; u - 8 */
  IN_PLACE_Q4_1,    /* d, m, 16 bytes */
  IN_PLACE_IQ4_NL,  /* d, 16 bytes, a table */
  IN_PLACE_MXFP4,   /* exponent, 16 bytes, a table of halves */
  IN_PLACE_Q5_0,    /* d, 32 fifth bits, 16 bytes */
  IN_PLACE_Q5_1,    /* d, m, 32 fifth bits, 16 bytes */
  IN_PLACE_AFFINE4, /* columns alternate between low and high nibbles; scales and biases apart */
  IN_PLACE_E2M1,    /* likewise, a table of halves; scales apart */
  IN_PLACE_INT4,    /* likewise, u - 8 */
  IN_PLACE_AFFINE8, /* bytes; scales and biases apart */
  IN_PLACE_Q8_0,    /* d, 32 signed bytes */
  IN_PLACE_Q6_K,    /* see decode_block.h */
  IN_PLACE_Q4_K,
  IN_PLACE_Q5_K,
  IN_PLACE_NONE
};

#define IN_PLACE_COLUMNS 128

static enum in_place in_place_of(const struct format *f) {
  if (f->kind == ES_BLOCK) {
    switch (f->type) {
      case ES_Q4_0: return IN_PLACE_Q4_0;
      case ES_Q4_1: return IN_PLACE_Q4_1;
      case ES_IQ4_NL: return IN_PLACE_IQ4_NL;
      case ES_MXFP4: return IN_PLACE_MXFP4;
      case ES_Q5_0: return IN_PLACE_Q5_0;
      case ES_Q5_1: return IN_PLACE_Q5_1;
      case ES_Q8_0: return IN_PLACE_Q8_0;
      case ES_Q6_K: return IN_PLACE_Q6_K;
      case ES_Q4_K: return IN_PLACE_Q4_K;
      case ES_Q5_K: return IN_PLACE_Q5_K;
      default: return IN_PLACE_NONE;
    }
  }
  if (f->group != 32 && f->group != 64 && f->group != 128) {
    return IN_PLACE_NONE;
  }
  if (f->kind == ES_AFFINE) {
    return f->type == 4 ? IN_PLACE_AFFINE4 : f->type == 8 ? IN_PLACE_AFFINE8 : IN_PLACE_NONE;
  }
  return f->kind != ES_SCALED ? IN_PLACE_NONE
      : f->type == ES_E2M1 && f->scales == ES_E8M0 ? IN_PLACE_E2M1
      : f->type == ES_INT4 && f->scales >= ES_BF16 ? IN_PLACE_INT4 : IN_PLACE_NONE;
}

/** Which columns the two registers hold. */
enum columns {
  COLUMNS_HALVES,      /* of each group of 32 the first 16, and the last 16 */
  COLUMNS_ALTERNATING, /* even, and odd ones */
  COLUMNS_STRAIGHT,    /* the first 64, and the last */
  COLUMNS_PAIRS        /* groups 0 and 2, and 1 and 3 */
};

ALWAYS_INLINE enum columns columns_of(enum in_place kind) {
  return kind <= IN_PLACE_Q5_1 ? COLUMNS_HALVES : kind <= IN_PLACE_INT4 ? COLUMNS_ALTERNATING : kind <= IN_PLACE_Q6_K ? COLUMNS_STRAIGHT : COLUMNS_PAIRS;
}

/** Whether the registers have scales of their own. */
ALWAYS_INLINE bool is_split(enum in_place kind) { return columns_of(kind) >= COLUMNS_STRAIGHT; }

/** What is taken off u, or -1. Powers of two, so that it is a shift of the sum. */
ALWAYS_INLINE int center_shift(enum in_place kind) {
  switch (kind) {
    case IN_PLACE_Q4_0: case IN_PLACE_INT4: return 3;
    case IN_PLACE_Q5_0: case IN_PLACE_MXFP4: case IN_PLACE_E2M1: return 4;
    case IN_PLACE_Q6_K: return 5;
    case IN_PLACE_Q8_0: case IN_PLACE_IQ4_NL: return 7;
    default: return -1;
  }
}

ALWAYS_INLINE bool has_bias(enum in_place kind) { return center_shift(kind) < 0; }

/** Whether scales lie apart from the values. */
ALWAYS_INLINE bool is_apart(enum in_place kind) { return kind >= IN_PLACE_AFFINE4 && kind <= IN_PLACE_AFFINE8; }

/** Biases that lie apart are one dot with the sums of x for a whole row; others come with each step. */
ALWAYS_INLINE bool has_bias_apart(enum in_place kind) { return kind == IN_PLACE_AFFINE4 || kind == IN_PLACE_AFFINE8; }

ALWAYS_INLINE bool has_step_bias(enum in_place kind) { return has_bias(kind) && !has_bias_apart(kind); }

/** E2M1 is kept as halves: 2 v + 16. */
ALWAYS_INLINE bool is_halved(enum in_place kind) { return kind == IN_PLACE_MXFP4 || kind == IN_PLACE_E2M1; }

/** Of kinds with groups of 32 in blocks. */
ALWAYS_INLINE int block_size(enum in_place kind) {
  switch (kind) {
    case IN_PLACE_MXFP4: return 17;
    case IN_PLACE_Q4_1: return 20;
    case IN_PLACE_Q5_0: return 22;
    case IN_PLACE_Q5_1: return 24;
    case IN_PLACE_Q8_0: return 34;
    default: return 18;
  }
}

/** The low 4 bits of each byte as u. */
ALWAYS_INLINE __m512i nibble_values(enum in_place kind, __m512i nibbles) {
  __m512i low = _mm512_and_si512(nibbles, _mm512_set1_epi8(0xf));
  if (is_halved(kind)) {
    const __m128i table = _mm_setr_epi8(16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), low);
  }
  if (kind == IN_PLACE_IQ4_NL) { /* from ggml-common.h, 128 added */
    const __m128i table = _mm_setr_epi8(1, 24, 45, 63, 79, 93, 106, 118, (char)129, (char)141, (char)153, (char)166, (char)181, (char)197,
        (char)217, (char)241);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), low);
  }
  return low;
}

ALWAYS_INLINE __m512 float_of_e8m0(__m512i exponents) {
  return _mm512_castsi512_ps(_mm512_max_epu32(_mm512_slli_epi32(exponents, 23), _mm512_set1_epi32(0x00400000)));
}

/** Each number in 4 lanes. */
ALWAYS_INLINE __m512i quarters(int a, int b, int c, int d) { return _mm512_setr_epi32(a, a, a, a, b, b, b, b, c, c, c, c, d, d, d, d); }

ALWAYS_INLINE uint16_t bits16(const uint8_t *p) {
  uint16_t bits;
  memcpy(&bits, p, sizeof bits);
  return bits;
}

ALWAYS_INLINE uint32_t bits32(const uint8_t *p) {
  uint32_t bits;
  memcpy(&bits, p, sizeof bits);
  return bits;
}

/** 128 columns of one row. */
struct in_place_step {
  __m512i low, high;
  __m512 scale, high_scale; /* of a dot's lanes; the second where the kind is split */
  __m512 bias;              /* lanes 0 to 3: of the groups that the columns have; other lanes count 0 */
};

/* Numbers that stand apart */

/** How many of `group` columns a step has, and to which lanes of the dots they go. */
struct numbers {
  int size;        /* bytes of one */
  __mmask16 bytes; /* of a step */
  __m512i lanes, high_lanes;
};

#define TIMES4(n) n, n, n, n
#define TIMES8(n) TIMES4(n), TIMES4(n)

ALWAYS_INLINE struct numbers numbers_of(enum in_place kind, int element, int group) {
  static const int32_t together[3][16] = {{TIMES4(0), TIMES4(1), TIMES4(2), TIMES4(3)}, {TIMES8(0), TIMES8(1)}, {0}};
  static const int32_t split[3][2][16] = {{{TIMES8(0), TIMES8(1)}, {TIMES8(2), TIMES8(3)}}, {{0}, {TIMES8(1), TIMES8(1)}}, {{0}, {0}}};
  int size = element == ES_F32 ? 4 : element == ES_E8M0 ? 1 : 2;
  return (struct numbers){size, (__mmask16)((1u << (IN_PLACE_COLUMNS / group * size)) - 1),
      _mm512_loadu_si512(is_split(kind) ? split[group / 64][0] : together[group / 64]), _mm512_loadu_si512(split[group / 64][1])};
}

/** Those of a step, in the lowest lanes. Touches no byte beyond them. */
ALWAYS_INLINE __m512 load_numbers(int element, const struct numbers *numbers, const uint8_t *p) {
  __m128i bytes = _mm_maskz_loadu_epi8(numbers->bytes, p);
  switch (element) {
    case ES_F16: return _mm512_zextps128_ps512(_mm_cvtph_ps(bytes));
    case ES_BF16: return _mm512_zextps128_ps512(_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), bytes)));
    case ES_E8M0: return float_of_e8m0(_mm512_zextsi128_si512(_mm_cvtepu8_epi32(bytes)));
    default: return _mm512_zextps128_ps512(_mm_castsi128_ps(bytes));
  }
}

/** 16 of them, or as many as there are. */
ALWAYS_INLINE __m512 load_16_numbers(int element, __mmask16 some, const uint8_t *p) {
  if (element == ES_F32) {
    return _mm512_maskz_loadu_ps(some, p);
  }
  __m256i bits = _mm256_maskz_loadu_epi16(some, p);
  return element == ES_F16 ? _mm512_cvtph_ps(bits) : _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

ALWAYS_INLINE struct in_place_step load_apart(
    enum in_place kind, int element, const struct numbers *numbers, struct stored_row row, int64_t column, int64_t number) {
  struct in_place_step step = {.bias = _mm512_setzero_ps()};
  __m512 scales = load_numbers(element, numbers, row.scales + number);
  step.scale = _mm512_permutexvar_ps(numbers->lanes, scales);
  if (kind == IN_PLACE_AFFINE8) {
    step.high_scale = _mm512_permutexvar_ps(numbers->high_lanes, scales);
    step.low = _mm512_loadu_si512(row.values + column);
    step.high = _mm512_loadu_si512(row.values + column + 64);
  } else {
    __m512i raw = _mm512_loadu_si512(row.values + column / 2);
    step.low = nibble_values(kind, raw);
    step.high = nibble_values(kind, _mm512_srli_epi16(raw, 4));
  }
  return step;
}

/* Blocks of 32 columns */

#define RUN(at) at, at + 1, at + 2, at + 3, at + 4, at + 5, at + 6, at + 7, at + 8, at + 9, at + 10, at + 11, at + 12, at + 13, at + 14, at + 15

/** For vpermb: the nibbles of 4 blocks with a header of 1, 2 or 4 bytes; those of the last lie beyond 64 bytes. */
static const int8_t block_runs[3][64] = {{RUN(1), RUN(18), RUN(35), RUN(52)}, {RUN(2), RUN(20), RUN(38), RUN(56)}, {RUN(4), RUN(24), RUN(44), RUN(64 - 64)}};
/** For vpermw: the first word of each of 4 blocks of 18, 20 bytes. */
static const int16_t block_words[2][32] = {{TIMES4(0), TIMES4(9), TIMES4(18), TIMES4(27)}, {TIMES4(0), TIMES4(10), TIMES4(20), TIMES4(30)}};

ALWAYS_INLINE struct in_place_step load_nibble_blocks(enum in_place kind, const uint8_t *p) {
  struct in_place_step step = {.bias = _mm512_setzero_ps()};
  int size = block_size(kind), header = size - 16;
  __m512i most = _mm512_loadu_si512(p); /* 3 blocks and the beginning of the 4th, its scale among it */
  __m512i raw = _mm512_mask_broadcast_i32x4(_mm512_permutexvar_epi8(_mm512_loadu_si512(block_runs[header / 2]), most), 0xf000,
      _mm_loadu_si128((const __m128i *)(p + 3 * size + header)));
  if (kind == IN_PLACE_MXFP4) {
    const __m512i exponents = quarters(0, 17, 34, 51);
    step.scale = float_of_e8m0(_mm512_maskz_permutexvar_epi8(0x1111111111111111, exponents, most));
  } else {
    step.scale = _mm512_cvtph_ps(_mm512_castsi512_si256(_mm512_permutexvar_epi16(_mm512_loadu_si512(block_words[kind == IN_PLACE_Q4_1]), most)));
    if (kind == IN_PLACE_Q4_1) {
      const __m512i second = _mm512_setr_epi32(11 << 16 | 1, 31 << 16 | 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      step.bias = _mm512_zextps128_ps512(_mm_cvtph_ps(_mm512_castsi512_si128(_mm512_permutexvar_epi16(second, most))));
    }
  }
  step.low = nibble_values(kind, raw);
  step.high = nibble_values(kind, _mm512_srli_epi16(raw, 4));
  return step;
}

/** Four words, `size` bytes apart, as floats. */
ALWAYS_INLINE __m128 four_halves(const uint8_t *p, int size) {
  uint64_t words = bits16(p) | (uint64_t)bits16(p + size) << 16 | (uint64_t)bits16(p + 2 * size) << 32 | (uint64_t)bits16(p + 3 * size) << 48;
  return _mm_cvtph_ps(_mm_cvtsi64_si128((int64_t)words));
}

ALWAYS_INLINE struct in_place_step load_fifth_blocks(enum in_place kind, const uint8_t *p) {
  struct in_place_step step = {.bias = _mm512_setzero_ps()};
  int size = block_size(kind), header = size - 20;
  const __m512i groups = quarters(0, 1, 2, 3);
  step.scale = _mm512_permutexvar_ps(groups, _mm512_castps128_ps512(four_halves(p, size)));
  if (kind == IN_PLACE_Q5_1) {
    step.bias = _mm512_zextps128_ps512(four_halves(p + 2, size));
  }
  __m512i raw = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(p + header + 4)));
  raw = _mm512_mask_broadcast_i32x4(raw, 0x00f0, _mm_loadu_si128((const __m128i *)(p + size + header + 4)));
  raw = _mm512_mask_broadcast_i32x4(raw, 0x0f00, _mm_loadu_si128((const __m128i *)(p + 2 * size + header + 4)));
  raw = _mm512_mask_broadcast_i32x4(raw, 0xf000, _mm_loadu_si128((const __m128i *)(p + 3 * size + header + 4)));
  uint64_t low = 0, high = 0;
  for (int g = 0; g < 4; g++) {
    uint32_t fifth = bits32(p + g * size + header);
    low |= (uint64_t)(fifth & 0xffff) << 16 * g;
    high |= (uint64_t)(fifth >> 16) << 16 * g;
  }
  const __m512i sixteen = _mm512_set1_epi8(16);
  step.low = nibble_values(kind, raw);
  step.high = nibble_values(kind, _mm512_srli_epi16(raw, 4));
  step.low = _mm512_mask_add_epi8(step.low, low, step.low, sixteen);
  step.high = _mm512_mask_add_epi8(step.high, high, step.high, sixteen);
  return step;
}

/** Two blocks of Q8_0. */
ALWAYS_INLINE __m512i load_byte_blocks(const uint8_t *p, __m512 *scale) {
  static const int16_t words[32] = {TIMES8(0), TIMES8(17)};
  *scale = _mm512_cvtph_ps(_mm512_castsi512_si256(_mm512_permutexvar_epi16(_mm512_loadu_si512(words), _mm512_loadu_si512(p))));
  __m512i first = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)(p + 2)));
  __m512i bytes = _mm512_inserti64x4(first, _mm256_loadu_si256((const __m256i *)(p + 34 + 2)), 1);
  return _mm512_xor_si512(bytes, _mm512_set1_epi8((char)0x80));
}

/* Blocks of 256 columns */

/** Bits of `mask` from each of 32 bytes, for both halves of a register: rotated left by these amounts, which stay inside a byte. */
ALWAYS_INLINE __m512i bits_of(__m512i bytes, int first, int second, int mask) {
  const __m512i by = _mm512_setr_epi64(first, first, first, first, second, second, second, second);
  return _mm512_and_si512(_mm512_rolv_epi64(bytes, by), _mm512_set1_epi8((char)mask));
}

ALWAYS_INLINE __m512i load_twice(const uint8_t *p) { return _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)p)); }

/** 16 columns share a scale, which fills 4 lanes. */
ALWAYS_INLINE struct in_place_step load_q6_k(const uint8_t *block, int half) {
  struct in_place_step step = {.bias = _mm512_setzero_ps()};
  __m512i raw = _mm512_loadu_si512(block + 64 * half), upper = load_twice(block + 128 + 32 * half);
  const __m512i nibble = _mm512_set1_epi8(0xf);
  step.low = _mm512_ternarylogic_epi64(raw, nibble, bits_of(upper, 4, 2, 0x30), 0xea); /* (a & b) | c */
  step.high = _mm512_ternarylogic_epi64(_mm512_srli_epi16(raw, 4), nibble, bits_of(upper, 0, 62, 0x30), 0xea);
  __m512 d = _mm512_set1_ps(_mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(bits16(block + 128 + 64 + 16)))));
  __m512 scales = _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(block + 128 + 64 + 8 * half)))));
  step.scale = _mm512_permutexvar_ps(quarters(0, 1, 2, 3), scales);
  step.high_scale = _mm512_permutexvar_ps(quarters(4, 5, 6, 7), scales);
  return step;
}

/** Biases are minima, to be subtracted; see decode_block.h for the bits of scales and minima. */
ALWAYS_INLINE struct in_place_step load_q4_k(enum in_place kind, const uint8_t *block, int half) {
  struct in_place_step step;
  uint32_t first = bits32(block + 4), second = bits32(block + 8), third = bits32(block + 12);
  uint32_t scales = half == 0 ? first & 0x3f3f3f3f : (third & 0x0f0f0f0f) | (first >> 2 & 0x30303030);
  uint32_t minima = half == 0 ? second & 0x3f3f3f3f : (third >> 4 & 0x0f0f0f0f) | (second >> 2 & 0x30303030);
  __m256 both = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)((uint64_t)scales << 32 | minima))));
  __m256 d_m = _mm256_castps128_ps256(_mm_cvtph_ps(_mm_cvtsi32_si128((int32_t)bits32(block))));
  both = _mm256_mul_ps(both, _mm256_permutevar8x32_ps(d_m, _mm256_setr_epi32(1, 1, 1, 1, 0, 0, 0, 0)));
  step.bias = _mm512_zextps256_ps512(both);
  step.scale = _mm512_permutexvar_ps(quarters(4, 4, 6, 6), step.bias);
  step.high_scale = _mm512_permutexvar_ps(quarters(5, 5, 7, 7), step.bias);
  const uint8_t *nibbles = block + 16 + (kind == IN_PLACE_Q5_K ? 32 : 0) + 64 * half;
  __m512i raw = _mm512_loadu_si512(nibbles);
  step.low = nibble_values(kind, raw);
  step.high = nibble_values(kind, _mm512_srli_epi16(raw, 4));
  if (kind == IN_PLACE_Q5_K) {
    __m512i fifth = load_twice(block + 16);
    step.low = _mm512_or_si512(step.low, half == 0 ? bits_of(fifth, 4, 2, 0x10) : bits_of(fifth, 0, 62, 0x10));
    step.high = _mm512_or_si512(step.high, half == 0 ? bits_of(fifth, 3, 1, 0x10) : bits_of(fifth, 63, 61, 0x10));
  }
  return step;
}

/** Bytes of 128 columns, about; for prefetching. */
ALWAYS_INLINE int step_bytes(enum in_place kind) {
  return kind <= IN_PLACE_INT4 || kind == IN_PLACE_Q4_K || kind == IN_PLACE_Q5_K ? 80 : 144;
}

/** Where 128 columns of a row begin, for prefetching: exact within a block. */
ALWAYS_INLINE int64_t step_offset(enum in_place kind, int64_t column) {
  switch (kind) {
    case IN_PLACE_AFFINE4: case IN_PLACE_E2M1: case IN_PLACE_INT4: return column / 2;
    case IN_PLACE_AFFINE8: return column;
    case IN_PLACE_Q6_K: return column / 128 * 105;
    case IN_PLACE_Q4_K: return column / 128 * 72;
    case IN_PLACE_Q5_K: return column / 128 * 88;
    default: return column / 32 * block_size(kind);
  }
}

ALWAYS_INLINE struct in_place_step load_step(
    enum in_place kind, int element, const struct numbers *numbers, struct stored_row row, int64_t column, int64_t number) {
  struct in_place_step step;
  switch (kind) {
    case IN_PLACE_AFFINE4: case IN_PLACE_E2M1: case IN_PLACE_INT4: case IN_PLACE_AFFINE8:
      return load_apart(kind, element, numbers, row, column, number);
    case IN_PLACE_Q5_0: case IN_PLACE_Q5_1: return load_fifth_blocks(kind, row.values + step_offset(kind, column));
    case IN_PLACE_Q8_0:
      step.low = load_byte_blocks(row.values + step_offset(kind, column), &step.scale);
      step.high = load_byte_blocks(row.values + step_offset(kind, column + 64), &step.high_scale);
      return step;
    case IN_PLACE_Q6_K: return load_q6_k(row.values + column / 256 * 210, (int)(column / 128 % 2));
    case IN_PLACE_Q4_K: return load_q4_k(kind, row.values + column / 256 * 144, (int)(column / 128 % 2));
    case IN_PLACE_Q5_K: return load_q4_k(kind, row.values + column / 256 * 176, (int)(column / 128 % 2));
    default: return load_nibble_blocks(kind, row.values + step_offset(kind, column));
  }
}
#endif
#endif
