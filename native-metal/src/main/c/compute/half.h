/* Numbers of 16 bits (IEEE 754 binary16), rounded to the nearest, of a tie to the even one. */
#ifndef ES_HALF_H
#define ES_HALF_H

#include "vector.h"

static inline float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, bits = half & 0x7fff;
  float value;
  if (bits >= 0x7c00) { /* inf, NaN */
    bits = 0x7f800000 | (bits & 0x3ff) << 13;
    memcpy(&value, &bits, sizeof value);
  } else { /* times 2^112: the exponent's bias is 15 there and 127 here; subnormal numbers come out right */
    bits <<= 13;
    memcpy(&value, &bits, sizeof value);
    value *= 0x1p112f;
  }
  uint32_t all;
  memcpy(&all, &value, sizeof all);
  all |= sign;
  memcpy(&value, &all, sizeof value);
  return value;
}

static inline uint16_t half_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint32_t sign = bits >> 16 & 0x8000, rest = bits & 0x7fffffff;
  if (rest > 0x7f800000) {
    return (uint16_t)(sign | 0x7e00);
  }
  if (rest >= 0x47800000) { /* 65536 and more */
    return (uint16_t)(sign | 0x7c00);
  }
  if (rest < 0x38800000) { /* below 2^-14: the processor rounds to multiples of 2^-24 where it adds 0.5 */
    float magnitude;
    memcpy(&magnitude, &rest, sizeof magnitude);
    magnitude += 0.5f;
    uint32_t sum;
    memcpy(&sum, &magnitude, sizeof sum);
    return (uint16_t)(sign | (sum - 0x3f000000));
  }
  rest += 0xfff + (rest >> 13 & 1);
  return (uint16_t)(sign | (rest - 0x38000000) >> 13);
}

static void halves_to_floats(const uint16_t *from, int64_t count, float *to) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16) {
    _mm512_storeu_ps(to + i, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(from + i))));
  }
#elif defined(__AVX2__)
  for (; i + 8 <= count; i += 8) {
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from + i))));
  }
#elif defined(__aarch64__) && defined(__ARM_NEON)
  for (; i + 4 <= count; i += 4) {
    vst1q_f32(to + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + i))));
  }
#endif
  for (; i < count; i++) {
    to[i] = half_to_float(from[i]);
  }
}

static void floats_to_halves(const float *from, int64_t count, uint16_t *to) {
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i + 16 <= count; i += 16) {
    _mm256_storeu_si256((__m256i *)(to + i), _mm512_cvtps_ph(_mm512_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
#elif defined(__AVX2__)
  for (; i + 8 <= count; i += 8) {
    _mm_storeu_si128((__m128i *)(to + i), _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
#elif defined(__aarch64__) && defined(__ARM_NEON)
  for (; i + 4 <= count; i += 4) {
    vst1_u16(to + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(from + i))));
  }
#endif
  for (; i < count; i++) {
    to[i] = half_of_float(from[i]);
  }
}

#endif
