/* Single stored numbers as floats, as Element.java, Float16.java and SmallFloats.java; at any address. */
#ifndef ES_ELEMENTS_H
#define ES_ELEMENTS_H

#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "../espalier.h"

/** Sign, 2 bits of exponent with bias 1, 1 bit of mantissa. */
static const float e2m1_values[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.f, -0.5f, -1, -1.5f, -2, -3, -4, -6};
static const float int4_values[16] = {-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7};

static inline float float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint32_t little_endian16(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8; }

static inline uint32_t little_endian32(const uint8_t *p) { return little_endian16(p) | little_endian16(p + 2) << 16; }

/** Without branches, so that loops over it become vectors. */
static inline float f16_of_bits(uint32_t half) {
  uint32_t exponent = half >> 10 & 0x1f, fraction = half & 0x3ff;
  float subnormal = (float)(int32_t)fraction * 0x1p-24f;
  uint32_t bits;
  memcpy(&bits, &subnormal, sizeof bits);
  uint32_t normal = (exponent + 127 - 15) << 23 | fraction << 13;
  bits = exponent == 0 ? bits : exponent == 0x1f ? 0x7f800000 | fraction << 13 : normal;
  return float_of_bits(bits | (half & 0x8000) << 16);
}

static inline float f16_at(const uint8_t *p) { return f16_of_bits(little_endian16(p)); }

/** The upper half of a float. */
static inline float bf16_at(const uint8_t *p) { return float_of_bits(little_endian16(p) << 16); }

static inline float f32_at(const uint8_t *p) { return float_of_bits(little_endian32(p)); }

/** OCP's FP8 without infinities. */
static inline float e4m3_of_bits(uint32_t byte) {
  uint32_t exponent = byte >> 3 & 0xf, mantissa = byte & 7;
  float subnormal = (float)(int32_t)mantissa * 0x1p-9f; /* the bias is 7 */
  uint32_t bits;
  memcpy(&bits, &subnormal, sizeof bits);
  uint32_t normal = (exponent + 127 - 7) << 23 | mantissa << 20;
  bits = exponent == 0 ? bits : (byte & 0x7f) == 0x7f ? 0x7fc00000 : normal;
  return float_of_bits(bits | (byte & 0x80) << 24);
}

/** 2^(byte - 127); the standard's NaN, 255, is read as 2^128, which is infinite. */
static inline float e8m0_of_bits(uint32_t byte) { return float_of_bits(byte == 0 ? 0x00400000 : byte << 23); }

static inline int element_bits(int element) {
  switch (element) {
    case ES_E2M1: case ES_INT4: return 4;
    case ES_E4M3: case ES_E8M0: return 8;
    case ES_BF16: case ES_F16: return 16;
    default: return 32;
  }
}

/** Bytes of `count` consecutive numbers. */
static inline int64_t element_bytes(int element, int64_t count) { return count * element_bits(element) / 8; }

/** Number `index` of a row. */
static inline float element_at(int element, const uint8_t *row, int64_t index) {
  switch (element) {
    case ES_E2M1: return e2m1_values[row[index >> 1] >> 4 * (index & 1) & 0xf];
    case ES_INT4: return int4_values[row[index >> 1] >> 4 * (index & 1) & 0xf];
    case ES_E4M3: return e4m3_of_bits(row[index]);
    case ES_E8M0: return e8m0_of_bits(row[index]);
    case ES_BF16: return bf16_at(row + 2 * index);
    case ES_F16: return f16_at(row + 2 * index);
    default: return f32_at(row + 4 * index);
  }
}

/** What 16 nibbles stand for, which fill `indices` from bit 0 of each 32 on; other bits do not count. */
static inline void look_up16(const float table[16], const uint32_t indices[16], float *out) {
#if defined(__AVX512F__)
  _mm512_storeu_ps(out, _mm512_permutexvar_ps(_mm512_loadu_si512(indices), _mm512_loadu_ps(table)));
#elif defined(__AVX2__)
  for (int i = 0; i < 16; i += 8) {
    __m256i index = _mm256_loadu_si256((const __m256i *)(indices + i));
    __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), index), high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(table + 8), index);
    _mm256_storeu_ps(out + i, _mm256_blendv_ps(low, high, (__m256)_mm256_slli_epi32(index, 28))); /* bit 3 chooses the half */
  }
#else
  for (int i = 0; i < 16; i++) {
    out[i] = table[indices[i] & 0xf];
  }
#endif
}

/** What the 16 nibbles of 8 bytes stand for, the low one of each first. */
static inline void look_up_pairs(const float table[16], const uint8_t pairs[8], float *out) {
#if defined(__AVX512F__)
  __m512i low = _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)pairs));
  __m512i both = _mm512_or_si512(low, _mm512_slli_epi64(low, 28)); /* the upper 32 bits begin with the upper nibble */
  _mm512_storeu_ps(out, _mm512_permutexvar_ps(both, _mm512_loadu_ps(table)));
#else
  uint32_t indices[16];
  for (int i = 0; i < 8; i++) {
    indices[2 * i] = pairs[i];
    indices[2 * i + 1] = (uint32_t)pairs[i] >> 4;
  }
  look_up16(table, indices, out);
#endif
}

#endif
