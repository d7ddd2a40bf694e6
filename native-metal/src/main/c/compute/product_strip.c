/*
 * Many rows of x times quantized weights, with AVX-512 VNNI. STRIP_ROWS rows of a weight are unpacked to bytes, STRIP_COLUMNS columns at a time,
 * which stay in the first cache while all rows of x are multiplied with them. In a panel four columns of 16 rows are one register, so that a dot
 * adds up 4 columns into 16 lanes, one for each row. Bytes are u with w = scale (u - center) + bias.
 */
#if defined(__AVX512F__)
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

ALWAYS_INLINE void unpack_nibble_blocks(enum in_place kind, struct strip *strip, const struct strip_source *source) {
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
        strip->halves[0][first + g][r] = kind == IN_PLACE_MXFP4 ? *p : bits16(p);
        if (kind == IN_PLACE_Q4_1) {
          strip->halves[1][first + g][r] = bits16(p + 2);
        }
      }
    }
  }
  if (kind == IN_PLACE_MXFP4) {
    widen(ES_E8M0, strip->halves[0], strip->scales, source->groups, 1);
  } else {
    widen(ES_F16, strip->halves[0], strip->scales, source->groups, 1);
    if (kind == IN_PLACE_Q4_1) {
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
ALWAYS_INLINE void unpack_alternating(enum in_place kind, struct strip *strip, const struct strip_source *source) {
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

/** Bytes of 32 columns, `header` bytes into every `size`; `flip` turns signed into u. */
ALWAYS_INLINE void unpack_bytes(struct strip *strip, const struct strip_source *source, int size, int header, int flip) {
  for (int g = 0; g < source->groups; g++) {
    prefetch_rows(source, g);
    for (int half = 0; half < 2; half++) {
      for (int part = 0; part < 2; part++) {
        __m512i packed[4];
        load_transposed(source->values + 16 * half * source->row + g * size + header + 16 * part, source->row, packed);
        for (int i = 0; i < 4; i++) {
          store_columns(strip, 32 * g + 16 * part + 4 * i, half, _mm512_xor_si512(packed[i], _mm512_set1_epi8((char)flip)));
        }
      }
    }
  }
}

/** Scales, and biases after them, at the beginning of each block of 32 columns. */
ALWAYS_INLINE void unpack_heads(bool biased, int size, struct strip *strip, const struct strip_source *source) {
  for (int r = 0; r < STRIP_ROWS; r++) {
    const uint8_t *block = source->values + r * source->row;
    for (int g = 0; g < source->groups; g++, block += size) {
      strip->halves[0][g][r] = bits16(block);
      if (biased) {
        strip->halves[1][g][r] = bits16(block + 2);
      }
    }
  }
  widen(ES_F16, strip->halves[0], strip->scales, source->groups, 1);
  if (biased) {
    widen(ES_F16, strip->halves[1], strip->biases, source->groups, 1);
  }
}

static void unpack_byte_blocks(struct strip *strip, const struct strip_source *source) {
  unpack_bytes(strip, source, 2 + 32, 2, 0x80);
  unpack_heads(false, 2 + 32, strip, source);
}

/** Q5_0 and Q5_1: a scale (and bias), 32 fifth bits, nibbles in halves. */
ALWAYS_INLINE void unpack_fifth_blocks(bool biased, struct strip *strip, const struct strip_source *source) {
  int header = biased ? 4 : 2, size = header + 4 + 16;
  for (int g = 0; g < source->groups; g++) {
    prefetch_rows(source, g);
    for (int half = 0; half < 2; half++) {
      const uint8_t *p = source->values + 16 * half * source->row + g * size + header;
      uint32_t bits[16];
      for (int r = 0; r < 16; r++) {
        memcpy(bits + r, p + r * source->row, 4);
      }
      __m512i fifth = _mm512_loadu_si512(bits), packed[4];
      load_transposed(p + 4, source->row, packed);
      for (int i = 0; i < 8; i++) {
        __m512i nibbles = nibble_values(IN_PLACE_AFFINE4, i < 4 ? packed[i] : _mm512_srli_epi16(packed[i - 4], 4));
        /* 4 bits, one into each byte */
        __m512i four = _mm512_and_si512(_mm512_srl_epi32(fifth, _mm_cvtsi32_si128(4 * i)), _mm512_set1_epi32(0xf));
        four = _mm512_and_si512(_mm512_mullo_epi32(four, _mm512_set1_epi32(0x00204081)), _mm512_set1_epi32(0x01010101));
        store_columns(strip, 32 * g + 4 * i, half, _mm512_or_si512(nibbles, _mm512_slli_epi32(four, 4)));
      }
    }
  }
  unpack_heads(biased, size, strip, source);
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

/** How the groups of a panel stand for weights. */
enum strip_kind {
  STRIP_CENTERED, /* scale (u - 2^shift) */
  STRIP_BIASED,   /* scale u + bias */
  STRIP_HALVES    /* scale (u - 2^shift), a scale for 16 columns: the second of a group is where biases are */
};

struct strip_format {
  enum strip_kind kind;
  int shift;
};

/** dots[xn][2] += columns [from, to) of a group, 4 at a time. */
ALWAYS_INLINE void add_dots(int xn, const struct strip *strip, int g, int from, int to, const int8_t *const *q, __m512i (*dots)[2]) {
#pragma GCC unroll 8
  for (int k = from; k < to; k++) {
    __m512i low = _mm512_load_si512(strip->values[8 * g + k][0]), high = _mm512_load_si512(strip->values[8 * g + k][16]);
    for (int j = 0; j < xn; j++) {
      int32_t four;
      memcpy(&four, q[j] + 32 * g + 4 * k, 4);
      __m512i x = _mm512_set1_epi32(four);
      dots[j][0] = _mm512_dpbusd_epi32(dots[j][0], low, x);
      dots[j][1] = _mm512_dpbusd_epi32(dots[j][1], high, x);
    }
  }
}

ALWAYS_INLINE void add_scaled_dots(int xn, __m512i (*dots)[2], const float *scales, const float *const *x_scales, int g, __m512 (*total)[2]) {
  for (int h = 0; h < 2; h++) {
    __m512 scale = _mm512_load_ps(scales + 16 * h);
    for (int j = 0; j < xn; j++) {
      total[j][h] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[j][h]), _mm512_mul_ps(scale, _mm512_set1_ps(x_scales[j][g])), total[j][h]);
    }
  }
}

/** sums[xn][STRIP_ROWS] += panel . x. */
ALWAYS_INLINE void multiply_strip(int xn, enum strip_kind kind, int shift, const struct strip *strip, int groups, const struct operand *o,
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
    if (kind == STRIP_HALVES) {
      for (int half = 0; half < 2; half++) {
        for (int j = 0; j < xn; j++) {
          int32_t sum = half == 0 ? negated[j][2 * g + 1] : negated[j][2 * g] - negated[j][2 * g + 1];
          dots[j][0] = dots[j][1] = _mm512_sll_epi32(_mm512_set1_epi32(sum), _mm_cvtsi32_si128(shift));
        }
        add_dots(xn, strip, g, 4 * half, 4 * half + 4, q, dots);
        add_scaled_dots(xn, dots, half == 0 ? strip->scales[g] : strip->biases[g], scales, g, total);
      }
      continue;
    }
    for (int j = 0; j < xn; j++) {
      dots[j][0] = dots[j][1] = kind == STRIP_BIASED ? _mm512_setzero_si512()
                                                     : _mm512_sll_epi32(_mm512_set1_epi32(negated[j][2 * g]), _mm_cvtsi32_si128(shift));
    }
    add_dots(xn, strip, g, 0, 8, q, dots);
    add_scaled_dots(xn, dots, strip->scales[g], scales, g, total);
    if (kind == STRIP_BIASED) {
      for (int h = 0; h < 2; h++) {
        __m512 bias = _mm512_load_ps(strip->biases[g] + 16 * h);
        for (int j = 0; j < xn; j++) {
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

static void multiply_all(struct strip_format f, struct strip *strip, const struct product *p, int32_t row, int32_t count, int32_t column, int groups) {
  switch (f.kind) {
    case STRIP_CENTERED: multiply_rows(STRIP_CENTERED, f.shift, strip, p, row, count, column, groups); return;
    case STRIP_BIASED: multiply_rows(STRIP_BIASED, 0, strip, p, row, count, column, groups); return;
    default: multiply_rows(STRIP_HALVES, f.shift, strip, p, row, count, column, groups);
  }
}

/** Whether products with a format can be unpacked to strips. */
static bool has_strips(const struct format *f) {
  if (f->kind == ES_BLOCK) {
    return f->type == ES_Q4_0 || f->type == ES_Q4_1 || f->type == ES_Q5_0 || f->type == ES_Q5_1 || f->type == ES_Q8_0 || f->type == ES_Q4_K
        || f->type == ES_Q5_K || f->type == ES_Q6_K || f->type == ES_IQ4_NL || f->type == ES_MXFP4;
  }
  if (f->group != 32 && f->group != 64 && f->group != 128) {
    return false;
  }
  return f->kind == ES_AFFINE ? f->type == 4 || f->type == 8
      : f->kind == ES_SCALED && ((f->type == ES_E2M1 && f->scales == ES_E8M0) || (f->type == ES_INT4 && f->scales >= ES_BF16));
}

static struct strip_format unpack(const struct format *f, struct strip *strip, const struct strip_source *source) {
  if (f->kind == ES_BLOCK) {
    switch (f->type) {
      case ES_Q4_0: unpack_nibble_blocks(IN_PLACE_Q4_0, strip, source); return (struct strip_format){STRIP_CENTERED, 3};
      case ES_Q4_1: unpack_nibble_blocks(IN_PLACE_Q4_1, strip, source); return (struct strip_format){STRIP_BIASED, 0};
      case ES_Q5_0: unpack_fifth_blocks(false, strip, source); return (struct strip_format){STRIP_CENTERED, 4};
      case ES_Q5_1: unpack_fifth_blocks(true, strip, source); return (struct strip_format){STRIP_BIASED, 0};
      case ES_Q8_0: unpack_byte_blocks(strip, source); return (struct strip_format){STRIP_CENTERED, 7};
      case ES_Q4_K: unpack_q4_k(false, strip, source); return (struct strip_format){STRIP_BIASED, 0};
      case ES_Q5_K: unpack_q4_k(true, strip, source); return (struct strip_format){STRIP_BIASED, 0};
      case ES_Q6_K: unpack_q6_k(strip, source); return (struct strip_format){STRIP_HALVES, 5};
      case ES_IQ4_NL: unpack_nibble_blocks(IN_PLACE_IQ4_NL, strip, source); return (struct strip_format){STRIP_CENTERED, 7};
      default: unpack_nibble_blocks(IN_PLACE_MXFP4, strip, source); return (struct strip_format){STRIP_CENTERED, 4};
    }
  }
  unpack_numbers(f, strip, source, false);
  if (f->kind == ES_AFFINE) {
    unpack_numbers(f, strip, source, true);
    if (f->type == 8) {
      unpack_bytes(strip, source, 32, 0, 0);
    } else {
      unpack_alternating(IN_PLACE_AFFINE4, strip, source);
    }
    return (struct strip_format){STRIP_BIASED, 0};
  }
  unpack_alternating(f->type == ES_E2M1 ? IN_PLACE_E2M1 : IN_PLACE_AFFINE4, strip, source);
  return (struct strip_format){STRIP_CENTERED, f->type == ES_E2M1 ? 4 : 3};
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
        struct strip_format f = unpack(&w->format, strip, &source);
        multiply_all(f, strip, p, row, count, column, source.groups);
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
