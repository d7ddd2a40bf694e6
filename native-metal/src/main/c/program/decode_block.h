/* GGUF's blocks as floats: a function for each, as BlockDecoder.java; Block.java has the order of the fields. */
#ifndef ES_DECODE_BLOCK_H
#define ES_DECODE_BLOCK_H

#include "elements.h"
#include "weight.h"

/** What the nibbles of IQ4_NL and IQ4_XS stand for, from ggml-common.h. */
static const float iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/** 16 bytes: values 0 to 15 in the low nibbles, 16 to 31 in the high ones; w = scale q + minimum. */
static inline void decode_q4(const uint8_t *nibbles, float minimum, float scale, float *out) {
  for (int i = 0; i < 16; i++) {
    out[i] = scale * (float)(nibbles[i] & 0xf) + minimum;
    out[16 + i] = scale * (float)(nibbles[i] >> 4) + minimum;
  }
}

/** As Q4, after 4 bytes of fifth bits. */
static inline void decode_q5(const uint8_t *block, float minimum, float scale, float *out) {
  uint32_t fifth = little_endian32(block);
  for (int i = 0; i < 16; i++) {
    int pair = block[4 + i];
    out[i] = scale * (float)((pair & 0xf) | (int)(fifth >> i & 1) << 4) + minimum;
    out[16 + i] = scale * (float)(pair >> 4 | (int)(fifth >> (16 + i) & 1) << 4) + minimum;
  }
}

/** 16 bytes of nibbles as Q4; w = scale v[q]. */
static inline void decode_table(const uint8_t *nibbles, const float table[16], float scale, float *out) {
  for (int half = 0; half < 2; half++, out += 16) {
    uint32_t indices[16];
    for (int i = 0; i < 16; i++) {
      indices[i] = (uint32_t)nibbles[i] >> 4 * half;
    }
    look_up16(table, indices, out);
    for (int i = 0; i < 16; i++) {
      out[i] *= scale;
    }
  }
}

static inline void decode_q4_0(const uint8_t *block, float *out) {
  float scale = f16_at(block);
  decode_q4(block + 2, -8 * scale, scale, out);
}

static inline void decode_q4_1(const uint8_t *block, float *out) { decode_q4(block + 4, f16_at(block + 2), f16_at(block), out); }

static inline void decode_q5_0(const uint8_t *block, float *out) {
  float scale = f16_at(block);
  decode_q5(block + 2, -16 * scale, scale, out);
}

static inline void decode_q5_1(const uint8_t *block, float *out) { decode_q5(block + 4, f16_at(block + 2), f16_at(block), out); }

static inline void decode_q8_0(const uint8_t *block, float *out) {
  float scale = f16_at(block);
  for (int i = 0; i < 32; i++) {
    out[i] = scale * (float)(int8_t)block[2 + i];
  }
}

/** A half of 128 values lies in 32 bytes: value i of 0 to 127 is bits 2 (i / 32) of byte i % 32. */
static inline void decode_q2_k(const uint8_t *block, float *out) {
  float d = f16_at(block + 16 + 64), m = f16_at(block + 16 + 64 + 2);
  for (int group = 0; group < 16; group++) {
    float scale = d * (float)(block[group] & 0xf), minimum = m * (float)(block[group] >> 4);
    const uint8_t *from = block + 16 + group / 8 * 32 + group % 2 * 16;
    int shift = group / 2 % 4 * 2;
    for (int i = 0; i < 16; i++) {
      out[16 * group + i] = scale * (float)(from[i] >> shift & 3) - minimum;
    }
  }
}

/** Two lower bits as Q2_K; the third bit of value i of 256 is bit i / 32 of byte i % 32. */
static inline void decode_q3_k(const uint8_t *block, float *out) {
  const uint8_t *scales = block + 32 + 64;
  float d = f16_at(scales + 12);
  for (int group = 0; group < 16; group++) {
    int low = scales[group % 8] >> group / 8 * 4 & 0xf, high = scales[8 + group % 4] >> group / 4 * 2 & 3;
    float scale = d * (float)((low | high << 4) - 32);
    const uint8_t *from = block + 32 + group / 8 * 32 + group % 2 * 16, *third = block + group % 2 * 16;
    int shift = group / 2 % 4 * 2, bit = group / 2;
    for (int i = 0; i < 16; i++) {
      out[16 * group + i] = scale * (float)((from[i] >> shift & 3) + 4 * (third[i] >> bit & 1) - 4);
    }
  }
}

/*
 * The 12 bytes of Q4_K and Q5_K: scales 0 to 3 are the lower 6 bits of bytes 0 to 3, minima 0 to 3 of bytes 4 to 7; the lower 4 bits of scale
 * and minimum 4 to 7 are the nibbles of bytes 8 to 11, their upper 2 bits are left over in bytes 0 to 3 and 4 to 7.
 */
static inline int k_scale(const uint8_t *packed, int group) {
  return group < 4 ? packed[group] & 0x3f : (packed[4 + group] & 0xf) | packed[group - 4] >> 6 << 4;
}

static inline int k_minimum(const uint8_t *packed, int group) {
  return group < 4 ? packed[4 + group] & 0x3f : packed[4 + group] >> 4 | packed[group] >> 6 << 4;
}

/** 64 values lie in 32 bytes, the first 32 in the low nibbles. */
static inline void decode_q4_k(const uint8_t *block, float *out) {
  float d = f16_at(block), m = f16_at(block + 2);
  for (int group = 0; group < 8; group++) {
    float scale = d * (float)k_scale(block + 4, group), minimum = m * (float)k_minimum(block + 4, group);
    const uint8_t *from = block + 4 + 12 + group / 2 * 32;
    int shift = group % 2 * 4;
    for (int i = 0; i < 32; i++) {
      out[32 * group + i] = scale * (float)(from[i] >> shift & 0xf) - minimum;
    }
  }
}

/** Nibbles as Q4_K; the fifth bit of value i of 256 is bit i / 32 of byte i % 32. */
static inline void decode_q5_k(const uint8_t *block, float *out) {
  float d = f16_at(block), m = f16_at(block + 2);
  const uint8_t *fifth = block + 4 + 12;
  for (int group = 0; group < 8; group++) {
    float scale = d * (float)k_scale(block + 4, group), minimum = m * (float)k_minimum(block + 4, group);
    const uint8_t *from = fifth + 32 + group / 2 * 32;
    int shift = group % 2 * 4;
    for (int i = 0; i < 32; i++) {
      out[32 * group + i] = scale * (float)((from[i] >> shift & 0xf) | (fifth[i] >> group & 1) << 4) - minimum;
    }
  }
}

/**
 * A half of 128 values has 64 bytes of lower and 32 of upper bits: value i of 0 to 127 has its lower bits in byte i % 64, nibble i / 64, its
 * upper in bits 2 (i / 32) of byte i % 32.
 */
static inline void decode_q6_k(const uint8_t *block, float *out) {
  const uint8_t *scales = block + 128 + 64;
  float d = f16_at(scales + 16);
  for (int group = 0; group < 16; group++) {
    float scale = d * (float)(int8_t)scales[group];
    const uint8_t *low = block + group / 8 * 64 + group % 4 * 16, *high = block + 128 + group / 8 * 32 + group % 2 * 16;
    int low_shift = group / 4 % 2 * 4, high_shift = group / 2 % 4 * 2;
    for (int i = 0; i < 16; i++) {
      int quantum = (low[i] >> low_shift & 0xf) | (high[i] >> high_shift & 3) << 4;
      out[16 * group + i] = scale * (float)(quantum - 32);
    }
  }
}

static inline void decode_iq4_xs(const uint8_t *block, float *out) {
  float d = f16_at(block);
  uint32_t upper = little_endian16(block + 2);
  for (int group = 0; group < 8; group++) {
    int low = block[4 + group / 2] >> group % 2 * 4 & 0xf, scale = low | (int)(upper >> 2 * group & 3) << 4;
    decode_table(block + 8 + 16 * group, iq4_values, d * (float)(scale - 32), out + 32 * group);
  }
}

static inline void decode_block(int block, const uint8_t *bytes, float *out) {
  switch (block) {
    case ES_Q4_0: decode_q4_0(bytes, out); return;
    case ES_Q4_1: decode_q4_1(bytes, out); return;
    case ES_Q5_0: decode_q5_0(bytes, out); return;
    case ES_Q5_1: decode_q5_1(bytes, out); return;
    case ES_Q8_0: decode_q8_0(bytes, out); return;
    case ES_Q2_K: decode_q2_k(bytes, out); return;
    case ES_Q3_K: decode_q3_k(bytes, out); return;
    case ES_Q4_K: decode_q4_k(bytes, out); return;
    case ES_Q5_K: decode_q5_k(bytes, out); return;
    case ES_Q6_K: decode_q6_k(bytes, out); return;
    case ES_IQ4_NL: decode_table(bytes + 2, iq4_values, f16_at(bytes), out); return;
    case ES_IQ4_XS: decode_iq4_xs(bytes, out); return;
    default: decode_table(bytes + 1, e2m1_values, e8m0_of_bits(bytes[0]), out); return; /* MXFP4 */
  }
}

/** `count` blocks, one after the other. */
static void decode_blocks(int block, const uint8_t *bytes, int32_t count, float *out) {
  int values = block_values(block), size = block_bytes(block);
  for (int32_t i = 0; i < count; i++, bytes += size, out += values) {
    decode_block(block, bytes, out);
  }
}

#endif
