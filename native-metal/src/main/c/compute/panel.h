/*
 * Panels of a weight, with AVX-512: STRIP_ROWS rows and up to STRIP_COLUMNS columns of quantized weights as bytes u with w = scale (u - center) + bias.
 * Four columns of 16 rows are one register, so that a dot adds up 4 columns into 16 lanes, one for each row.
 */
#if defined(__AVX512F__)
#ifndef ES_PANEL_H
#define ES_PANEL_H

#include "in_place.h"

#define STRIP_ROWS 32
#define STRIP_COLUMNS 512
#define STRIP_GROUPS (STRIP_COLUMNS / OPERAND_GROUP)
#define STRIP_X 6        /* rows of x in registers */
#define NEXT_STREAMS 4
#define STRIP_SUMS 1024  /* rows of x for which a panel is unpacked once */

struct strip {
  _Alignas(64) uint8_t values[STRIP_COLUMNS / 4][STRIP_ROWS][4];
  _Alignas(64) float scales[STRIP_GROUPS][STRIP_ROWS], biases[STRIP_GROUPS][STRIP_ROWS];
  uint8_t gathered[STRIP_ROWS][STRIP_COLUMNS / 32 * 34], gathered_scales[STRIP_ROWS][STRIP_GROUPS * 4], gathered_biases[STRIP_ROWS][STRIP_GROUPS * 4];
  _Alignas(64) float sums[STRIP_SUMS][STRIP_ROWS];
};

/** A panel as it is stored: STRIP_ROWS rows at even distances. */
struct strip_source {
  const uint8_t *values, *scales, *biases;
  int64_t row, scale_row, bias_row; /* bytes from row to row */
  int groups;
  const uint8_t *next;  /* of the strip that comes next, the part of each stream that is asked for with this panel */
  int64_t next_stream;  /* bytes from stream to stream */
  int64_t next_bytes;   /* with each group */
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

/** The same of rows that may end after `count` bytes, beyond which nothing is read. */
ALWAYS_INLINE void load_transposed_some(const uint8_t *p, int64_t row, int count, __m512i out[4]) {
  if (count == 16) {
    load_transposed(p, row, out);
    return;
  }
  _Alignas(16) uint8_t rows[16][16];
  for (int r = 0; r < 16; r++) {
    _mm_store_si128((__m128i *)rows[r], _mm_maskz_loadu_epi8((__mmask16)((1 << count) - 1), p + r * row));
  }
  load_transposed(rows[0], sizeof rows[0], out);
}

ALWAYS_INLINE __m512 float_of_f16(__m512i low_words) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(low_words)); }

/**
 * A part of the strip that comes next, with each group as many bytes as it has itself, into the second cache. They are asked for in NEXT_STREAMS runs
 * of addresses, which the processor's own prefetchers recognize and run ahead of; rows side by side are too many for them.
 */
ALWAYS_INLINE void prefetch_next(const struct strip_source *source, int g) {
  const uint8_t *from = source->next + g % NEXT_STREAMS * source->next_stream + g / NEXT_STREAMS * source->next_bytes;
  for (int64_t at = 0; at < source->next_bytes; at += 64) {
    _mm_prefetch(from + at, _MM_HINT_T1);
  }
}

ALWAYS_INLINE void store_columns(struct strip *strip, int column, int half, __m512i values) {
  _mm512_store_si512(strip->values[(unsigned)column / 4][half * 16], values);
}

/**
 * Scales, or biases, in a region of their own. Those of a row for a panel are 32 bytes at most, which are transposed like values: two numbers of 16
 * bits, or four of 8, are what a register has of each row.
 */
static void unpack_numbers(const struct format *f, struct strip *strip, const struct strip_source *source, bool biases) {
  int element = f->scales, each = f->group / 32, count = (source->groups + each - 1) / each, size = element_bits(element) / 8;
  float(*out)[STRIP_ROWS] = biases ? strip->biases : strip->scales;
  const uint8_t *from = biases ? source->biases : source->scales;
  int64_t stride = biases ? source->bias_row : source->scale_row;
  for (int half = 0; half < 2; half++) {
    for (int at = 0; at < count * size; at += 16) {
      int rest = count * size - at;
      __m512i four[4];
      load_transposed_some(from + 16 * half * stride + at, stride, rest < 16 ? rest : 16, four);
      for (int i = 0; i < 4 * 4 / size && at / size + i < count; i++) {
        __m512i bits = _mm512_srl_epi32(four[i * size / 4], _mm_cvtsi32_si128(8 * (i * size % 4)));
        __m512 numbers = element == ES_F32 ? _mm512_castsi512_ps(bits)
            : element == ES_F16 ? float_of_f16(bits)
            : element == ES_BF16 ? _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16))
                                 : _mm512_mul_ps(float_of_e8m0(_mm512_and_si512(bits, _mm512_set1_epi32(0xff))), _mm512_set1_ps(0.5f)); /* of values in halves */
        for (int g = 0; g < each && (at / size + i) * each + g < source->groups; g++) {
          _mm512_store_ps(&out[(at / size + i) * each + g][half * 16], numbers);
        }
      }
    }
  }
}

/** Bytes from group to group in the values of a row. */
ALWAYS_INLINE int group_bytes(enum in_place kind) {
  return kind == IN_PLACE_AFFINE8 ? 32 : columns_of(kind) == COLUMNS_ALTERNATING ? 16 : block_size(kind);
}

/** Of 16 rows, `row` bytes apart, the 32 columns of the group at p; out[k] has columns 4 k to 4 k + 3, row by row. */
ALWAYS_INLINE void unpack_group(enum in_place kind, const uint8_t *p, int64_t row, __m512i out[8]) {
  __m512i packed[4];
  if (kind == IN_PLACE_Q8_0 || kind == IN_PLACE_AFFINE8) {
    for (int part = 0; part < 2; part++) {
      load_transposed(p + (kind == IN_PLACE_Q8_0 ? 2 : 0) + 16 * part, row, packed);
      for (int i = 0; i < 4; i++) {
        out[4 * part + i] = kind == IN_PLACE_Q8_0 ? _mm512_xor_si512(packed[i], _mm512_set1_epi8((char)0x80)) : packed[i];
      }
    }
    return;
  }
  if (columns_of(kind) == COLUMNS_ALTERNATING) {
    /* of 8 bytes, two rows with 4 each: where the 4 nibbles of their first two bytes begin, and of their last two */
    const __m512i first = _mm512_set1_epi64(0x2c2824200c080400), last = _mm512_set1_epi64(0x3c3834301c181410);
    load_transposed(p, row, packed);
    for (int i = 0; i < 4; i++) {
      out[2 * i] = nibble_values(kind, _mm512_multishift_epi64_epi8(first, packed[i]));
      out[2 * i + 1] = nibble_values(kind, _mm512_multishift_epi64_epi8(last, packed[i]));
    }
    return;
  }
  bool fifths = kind == IN_PLACE_Q5_0 || kind == IN_PLACE_Q5_1;
  int header = block_size(kind) - 16;
  load_transposed(p + header, row, packed);
  uint32_t bits[16];
  for (int r = 0; r < 16 && fifths; r++) {
    bits[r] = bits32(p + header - 4 + r * row);
  }
  __m512i fifth = fifths ? _mm512_loadu_si512(bits) : _mm512_setzero_si512();
  for (int i = 0; i < 8; i++) {
    out[i] = nibble_values(kind, i < 4 ? packed[i] : _mm512_srli_epi16(packed[i - 4], 4));
    if (fifths) { /* 4 bits, one into each byte */
      __m512i four = _mm512_and_si512(_mm512_srl_epi32(fifth, _mm_cvtsi32_si128(4 * i)), _mm512_set1_epi32(0xf));
      four = _mm512_and_si512(_mm512_mullo_epi32(four, _mm512_set1_epi32(0x00204081)), _mm512_set1_epi32(0x01010101));
      out[i] = _mm512_or_si512(out[i], _mm512_slli_epi32(four, 4));
    }
  }
}

/** All groups of a panel. */
ALWAYS_INLINE void unpack_groups(enum in_place kind, struct strip *strip, const struct strip_source *source) {
  for (int g = 0; g < source->groups; g++) {
    prefetch_next(source, g);
    for (int half = 0; half < 2; half++) {
      __m512i u[8];
      unpack_group(kind, source->values + 16 * half * source->row + g * group_bytes(kind), source->row, u);
      for (int k = 0; k < 8; k++) {
        store_columns(strip, 32 * g + 4 * k, half, u[k]);
      }
    }
  }
}

/** A number of each of 16 rows as floats: halves, or exponents of values in halves. */
ALWAYS_INLINE __m512 float_of_words(enum in_place kind, __m256i words) {
  return kind == IN_PLACE_MXFP4 ? _mm512_mul_ps(float_of_e8m0(_mm512_cvtepu16_epi32(words)), _mm512_set1_ps(0.5f)) : _mm512_cvtph_ps(words);
}

/** out[4][0 to 15] = numbers that stand at byte `at` of 4 blocks of 16 rows. Of `groups` blocks that there are nothing beyond is read. */
ALWAYS_INLINE void unpack_block_numbers(enum in_place kind, int at, const uint8_t *p, int64_t row, int groups, float (*out)[STRIP_ROWS]) {
  const int size = block_size(kind), at_once = size <= 20 ? 4 : 2; /* blocks whose numbers lie in one register */
#define NUMBER(g) ((size * ((g) % at_once) + at) * 0x01010101 + 0x01000100)
  const __m512i from = quarters(NUMBER(0), NUMBER(1), NUMBER(2), NUMBER(3));
#undef NUMBER
  __m512i eight[2]; /* rows: of each of the 4 blocks one number a row */
  for (int e = 0; e < 2; e++) {
    eight[e] = _mm512_setzero_si512();
    for (int first = 0; first < 4; first += at_once) {
      int64_t rest = (int64_t)(groups - first) * size;
      __mmask64 there = rest >= 64 ? (__mmask64)-1 : rest > 0 ? (__mmask64)-1 >> (64 - rest) : 0;
      __mmask64 blocks = at_once == 4 ? (__mmask64)-1 : first == 0 ? 0xffffffff : ~0xffffffffull;
      for (int r = 0; r < 8; r++) {
        const uint8_t *block = p + (8 * e + r) * row + first * size;
        __m512i bytes = rest >= 64 ? _mm512_loadu_si512(block) : _mm512_maskz_loadu_epi8(there, block);
        __mmask64 to = (kind == IN_PLACE_MXFP4 ? 0x0001000100010001u : 0x0003000300030003u) << 2 * r & blocks;
        eight[e] = _mm512_mask_permutexvar_epi8(eight[e], to, from, bytes);
      }
    }
  }
  for (int pair = 0; pair < 2; pair++) {
    const __m512i order = pair == 0 ? _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11) : _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    __m512i two = _mm512_permutex2var_epi64(eight[0], order, eight[1]);
    _mm512_store_ps(out[2 * pair], float_of_words(kind, _mm512_castsi512_si256(two)));
    _mm512_store_ps(out[2 * pair + 1], float_of_words(kind, _mm512_extracti64x4_epi64(two, 1)));
  }
}

/** Scales, and biases after them, at the beginning of each block of 32 columns. */
ALWAYS_INLINE void unpack_heads(enum in_place kind, struct strip *strip, const struct strip_source *source) {
  for (int first = 0; first < source->groups; first += 4) {
    for (int half = 0; half < 2; half++) {
      const uint8_t *p = source->values + 16 * half * source->row + first * block_size(kind);
      unpack_block_numbers(kind, 0, p, source->row, source->groups - first, (float(*)[STRIP_ROWS])(strip->scales[first] + 16 * half));
      if (has_bias(kind)) {
        unpack_block_numbers(kind, 2, p, source->row, source->groups - first, (float(*)[STRIP_ROWS])(strip->biases[first] + 16 * half));
      }
    }
  }
}

/** The 8 scales and minima of a block of Q4_K or Q5_K, of 16 rows; see decode_block.h for their bits. */
ALWAYS_INLINE void unpack_k_scales(struct strip *strip, const uint8_t *block, int64_t row, int first_group, int half) {
  __m512i head[4]; /* d and m; bytes 0 to 3, 4 to 7, 8 to 11 */
  load_transposed(block, row, head);
  __m512 d = float_of_f16(head[0]), m = float_of_f16(_mm512_srli_epi32(head[0], 16));
  for (int g = 0; g < 8; g++) {
    __m512i scale, minimum;
    __m128i at = _mm_cvtsi32_si128(8 * (g % 4)), upper = _mm_cvtsi32_si128(8 * (g % 4) + 6), high = _mm_cvtsi32_si128(8 * (g % 4) + 4);
    if (g < 4) {
      scale = _mm512_and_si512(_mm512_srl_epi32(head[1], at), _mm512_set1_epi32(0x3f));
      minimum = _mm512_and_si512(_mm512_srl_epi32(head[2], at), _mm512_set1_epi32(0x3f));
    } else {
      const __m512i low = _mm512_set1_epi32(0xf), two = _mm512_set1_epi32(3);
      scale = _mm512_or_si512(_mm512_and_si512(_mm512_srl_epi32(head[3], at), low),
          _mm512_slli_epi32(_mm512_and_si512(_mm512_srl_epi32(head[1], upper), two), 4));
      minimum = _mm512_or_si512(_mm512_and_si512(_mm512_srl_epi32(head[3], high), low),
          _mm512_slli_epi32(_mm512_and_si512(_mm512_srl_epi32(head[2], upper), two), 4));
    }
    _mm512_store_ps(strip->scales[first_group + g] + 16 * half, _mm512_mul_ps(d, _mm512_cvtepi32_ps(scale)));
    _mm512_store_ps(strip->biases[first_group + g] + 16 * half,
        _mm512_sub_ps(_mm512_setzero_ps(), _mm512_mul_ps(m, _mm512_cvtepi32_ps(minimum))));
  }
}

/** Q4_K, and Q5_K where there are fifth bits. */
ALWAYS_INLINE void unpack_q4_k(bool fifths, struct strip *strip, const struct strip_source *source) {
  int size = 16 + (fifths ? 32 : 0) + 128;
  for (int first = 0; first < source->groups; first += 8) {
    for (int g = 0; g < 8; g++) {
      prefetch_next(source, first + g);
    }
    for (int half = 0; half < 2; half++) {
      const uint8_t *block = source->values + 16 * half * source->row + first / 8 * size;
      unpack_k_scales(strip, block, source->row, first, half);
      for (int part = 0; part < 2; part++) {
        __m512i fifth[4] = {{0}};
        if (fifths) {
          load_transposed(block + 16 + 16 * part, source->row, fifth);
        }
        for (int pair = 0; pair < 4; pair++) {
          __m512i packed[4];
          load_transposed(block + size - 128 + 32 * pair + 16 * part, source->row, packed);
          for (int i = 0; i < 8; i++) {
            int g = 2 * pair + i / 4;
            __m512i u = nibble_values(IN_PLACE_AFFINE4, i < 4 ? packed[i] : _mm512_srli_epi16(packed[i - 4], 4));
            if (fifths) {
              __m512i bit = g < 4 ? _mm512_sll_epi16(fifth[i % 4], _mm_cvtsi32_si128(4 - g)) : _mm512_srl_epi16(fifth[i % 4], _mm_cvtsi32_si128(g - 4));
              u = _mm512_or_si512(u, _mm512_and_si512(bit, _mm512_set1_epi8(0x10)));
            }
            store_columns(strip, 32 * (first + g) + 16 * part + 4 * (i % 4), half, u);
          }
        }
      }
    }
  }
}

/** A scale for 16 columns: those of the second halves of groups go where biases are. */
static void unpack_q6_k(struct strip *strip, const struct strip_source *source) {
  const int size = 128 + 64 + 16 + 2;
  for (int first = 0; first < source->groups; first += 8) {
    for (int g = 0; g < 8; g++) {
      prefetch_next(source, first + g);
    }
    for (int half = 0; half < 2; half++) {
      const uint8_t *block = source->values + 16 * half * source->row + first / 8 * size;
      uint16_t d[16];
      for (int r = 0; r < 16; r++) {
        d[r] = bits16(block + r * source->row + 208);
      }
      __m512 scale = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)d));
      __m512i small[4];
      load_transposed(block + 192, source->row, small);
      for (int i = 0; i < 16; i++) {
        __m512i one = _mm512_srai_epi32(_mm512_sll_epi32(small[i / 4], _mm_cvtsi32_si128(24 - 8 * (i % 4))), 24);
        _mm512_store_ps((i % 2 == 0 ? strip->scales : strip->biases)[first + i / 2] + 16 * half, _mm512_mul_ps(scale, _mm512_cvtepi32_ps(one)));
      }
      for (int n = 0; n < 2; n++) { /* 128 columns */
        for (int part = 0; part < 2; part++) {
          __m512i upper[4], lower[2][4];
          load_transposed(block + 128 + 32 * n + 16 * part, source->row, upper);
          load_transposed(block + 64 * n + 16 * part, source->row, lower[0]);
          load_transposed(block + 64 * n + 32 + 16 * part, source->row, lower[1]);
          for (int t = 0; t < 4; t++) {
            for (int i = 0; i < 4; i++) {
              __m512i low = lower[t % 2][i];
              low = nibble_values(IN_PLACE_AFFINE4, t < 2 ? low : _mm512_srli_epi16(low, 4));
              __m512i high = t < 2 ? _mm512_sll_epi16(upper[i], _mm_cvtsi32_si128(4 - 2 * t)) : _mm512_srl_epi16(upper[i], _mm_cvtsi32_si128(2 * t - 4));
              high = _mm512_and_si512(high, _mm512_set1_epi8(0x30));
              store_columns(strip, 32 * (first + 4 * n + t) + 16 * part + 4 * i, half, _mm512_or_si512(low, high));
            }
          }
        }
      }
    }
  }
}

/** Scales and biases of a panel; of blocks of 256 columns unpack brings them. */
static void unpack_scales(enum in_place kind, const struct format *f, struct strip *strip, const struct strip_source *source) {
  switch (kind) {
    case IN_PLACE_Q4_0: case IN_PLACE_IQ4_NL: unpack_heads(IN_PLACE_Q4_0, strip, source); return;
    case IN_PLACE_Q4_1: unpack_heads(IN_PLACE_Q4_1, strip, source); return;
    case IN_PLACE_MXFP4: unpack_heads(IN_PLACE_MXFP4, strip, source); return;
    case IN_PLACE_Q5_0: unpack_heads(IN_PLACE_Q5_0, strip, source); return;
    case IN_PLACE_Q5_1: unpack_heads(IN_PLACE_Q5_1, strip, source); return;
    case IN_PLACE_Q8_0: unpack_heads(IN_PLACE_Q8_0, strip, source); return;
    default:
      unpack_numbers(f, strip, source, false);
      if (has_bias(kind)) {
        unpack_numbers(f, strip, source, true);
      }
  }
}

static void unpack(enum in_place kind, const struct format *f, struct strip *strip, const struct strip_source *source) {
  switch (kind) {
    case IN_PLACE_Q4_K: unpack_q4_k(false, strip, source); return;
    case IN_PLACE_Q5_K: unpack_q4_k(true, strip, source); return;
    case IN_PLACE_Q6_K: unpack_q6_k(strip, source); return;
#define GROUPS(kind) case kind: unpack_groups(kind, strip, source); break
    GROUPS(IN_PLACE_Q4_0);
    GROUPS(IN_PLACE_Q4_1);
    GROUPS(IN_PLACE_IQ4_NL);
    GROUPS(IN_PLACE_MXFP4);
    GROUPS(IN_PLACE_Q5_0);
    GROUPS(IN_PLACE_Q5_1);
    GROUPS(IN_PLACE_AFFINE4);
    GROUPS(IN_PLACE_E2M1);
    GROUPS(IN_PLACE_INT4);
    GROUPS(IN_PLACE_AFFINE8);
    GROUPS(IN_PLACE_Q8_0);
#undef GROUPS
    default: return;
  }
  unpack_scales(kind, f, strip, source);
}
#endif
#endif
