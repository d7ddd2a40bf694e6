/* Single stored numbers as floats, as Element.java, Float16.java and SmallFloats.java; at any address. */
#ifndef ES_ELEMENTS_H
#define ES_ELEMENTS_H

#include <stdint.h>
#include <string.h>

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

#endif
