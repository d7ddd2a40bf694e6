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
#define STRIP_SUMS 1024  /* rows of x for which a panel is unpacked once */

struct strip {
  _Alignas(64) uint8_t values[STRIP_COLUMNS / 4][STRIP_ROWS][4];
  _Alignas(64) float scales[STRIP_GROUPS][STRIP_ROWS], biases[STRIP_GROUPS][STRIP_ROWS];
  _Alignas(64) uint16_t halves[2][STRIP_GROUPS][STRIP_ROWS]; /* scales and biases that are still in 16 bits */
  uint8_t gathered[STRIP_ROWS][STRIP_COLUMNS / 32 * 34], gathered_scales[STRIP_ROWS][STRIP_GROUPS * 4], gathered_biases[STRIP_ROWS][STRIP_GROUPS * 4];
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
          : element == ES_E8M0 ? _mm512_mul_ps(float_of_e8m0(_mm512_cvtepu16_epi32(bits)), _mm512_set1_ps(0.5f)) /* of values in halves */
                               : _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
      _mm512_store_ps(&out[g][half * 16], floats);
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
    prefetch_rows(source, g);
    for (int half = 0; half < 2; half++) {
      __m512i u[8];
      unpack_group(kind, source->values + 16 * half * source->row + g * group_bytes(kind), source->row, u);
      for (int k = 0; k < 8; k++) {
        store_columns(strip, 32 * g + 4 * k, half, u[k]);
      }
    }
  }
}

/** Scales, and biases after them, at the beginning of each block of 32 columns. */
ALWAYS_INLINE void unpack_heads(enum in_place kind, struct strip *strip, const struct strip_source *source) {
  int size = block_size(kind);
  for (int r = 0; r < STRIP_ROWS; r++) {
    const uint8_t *block = source->values + r * source->row;
    for (int first = 0; first < source->groups; first += 4, block += 4 * size) {
#pragma GCC unroll 4
      for (int g = 0; g < 4; g++) { /* what lies beyond the row's end is not used */
        const uint8_t *p = first + g < source->groups ? block + g * size : block;
        strip->halves[0][first + g][r] = kind == IN_PLACE_MXFP4 ? *p : bits16(p);
        if (has_bias(kind)) {
          strip->halves[1][first + g][r] = bits16(p + 2);
        }
      }
    }
  }
  widen(kind == IN_PLACE_MXFP4 ? ES_E8M0 : ES_F16, strip->halves[0], strip->scales, source->groups, 1);
  if (has_bias(kind)) {
    widen(ES_F16, strip->halves[1], strip->biases, source->groups, 1);
  }
}

ALWAYS_INLINE __m512 float_of_f16(__m512i low_words) { return _mm512_cvtph_ps(_mm512_cvtepi32_epi16(low_words)); }

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
      prefetch_rows(source, first + g);
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
      prefetch_rows(source, first + g);
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
