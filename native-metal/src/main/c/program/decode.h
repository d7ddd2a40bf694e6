/*
 * Stored rows as floats, exactly as WeightFormat.decode in Java: the same float operations in the same order. Static, because cpu/format.c and
 * each set of instructions of compute/ compile their own.
 */
#ifndef ES_DECODE_H
#define ES_DECODE_H

#include "decode_block.h"
#include "elements.h"
#include "weight.h"

static void decode_plain(int element, const uint8_t *values, int32_t from, int32_t to, float *out) {
  int32_t count = to - from;
  if (element == ES_BF16) {
    const uint8_t *p = values + 2 * (int64_t)from;
    for (int32_t i = 0; i < count; i++) {
      out[i] = bf16_at(p + 2 * (int64_t)i);
    }
  } else if (element == ES_F16) {
    const uint8_t *p = values + 2 * (int64_t)from;
    for (int32_t i = 0; i < count; i++) {
      out[i] = f16_at(p + 2 * (int64_t)i);
    }
  } else {
    const uint8_t *p = values + 4 * (int64_t)from;
    for (int32_t i = 0; i < count; i++) {
      out[i] = f32_at(p + 4 * (int64_t)i);
    }
  }
}

/** `count` values, a multiple of 8, of a number of bits that the compiler knows; 8 of them are whole bytes. */
static inline __attribute__((always_inline)) void decode_affine_bits(
    int bits, const uint8_t *values, float scale, float bias, int64_t count, float *out) {
  uint64_t mask = (1u << bits) - 1;
  for (int64_t i = 0; i < count; i += 8, values += bits) {
    uint64_t all = 0;
    for (int byte = 0; byte < bits; byte++) {
      all |= (uint64_t)values[byte] << 8 * byte;
    }
    for (int j = 0; j < 8; j++) {
      out[i + j] = scale * (float)(int32_t)(all >> bits * j & mask) + bias;
    }
  }
}

/** Columns [from, to) of one group of MLX's affine quantization; w = scale q + bias, q of `bits` bits, lowest first. */
static void decode_affine_group(int bits, const uint8_t *values, float scale, float bias, int64_t from, int64_t to, float *out) {
  int64_t count = to - from;
  if (from % 8 == 0 && count % 8 == 0) {
    const uint8_t *first = values + from / 8 * bits;
    switch (bits) {
      case 1: decode_affine_bits(1, first, scale, bias, count, out); return;
      case 2: decode_affine_bits(2, first, scale, bias, count, out); return;
      case 3: decode_affine_bits(3, first, scale, bias, count, out); return;
      case 4:
        for (int64_t i = 0; i < count / 2; i++) {
          out[2 * i] = scale * (float)(first[i] & 0xf) + bias;
          out[2 * i + 1] = scale * (float)(first[i] >> 4) + bias;
        }
        return;
      case 5: decode_affine_bits(5, first, scale, bias, count, out); return;
      case 6: decode_affine_bits(6, first, scale, bias, count, out); return;
      case 7: decode_affine_bits(7, first, scale, bias, count, out); return;
      default:
        for (int64_t i = 0; i < count; i++) {
          out[i] = scale * (float)first[i] + bias;
        }
        return;
    }
  }
  uint32_t mask = (1u << bits) - 1;
  for (int64_t i = 0; i < count; i++) {
    int64_t bit = (from + i) * bits;
    const uint8_t *p = values + (bit >> 3);
    int shift = bit & 7;
    uint32_t both = shift + bits > 8 ? little_endian16(p) : p[0]; /* reads nothing beyond the row */
    out[i] = scale * (float)(int32_t)(both >> shift & mask) + bias;
  }
}

/** Columns [from, to) of one group; w = scale q. */
static void decode_scaled_group(int element, const uint8_t *values, float scale, int64_t from, int64_t to, float *out) {
  int64_t count = to - from, i = 0;
  if (element == ES_E4M3) {
    for (; i < count; i++) {
      out[i] = scale * e4m3_of_bits(values[from + i]);
    }
    return;
  }
  if (from % 2 == 0 && element_bits(element) == 4) {
    for (; i <= count - 16; i += 16) {
      look_up_pairs(element == ES_INT4 ? int4_values : e2m1_values, values + (from + i) / 2, out + i);
      for (int j = 0; j < 16; j++) {
        out[i + j] *= scale;
      }
    }
  }
  for (; i < count; i++) {
    out[i] = scale * element_at(element, values, from + i);
  }
}

/**
 * Columns [from, to) of a stored row.
 *
 * @param from a multiple of the format's group
 * @param to likewise, or of SCALED the end of the row
 */
static void decode_columns(const struct format *f, const uint8_t *values, const uint8_t *scales, const uint8_t *biases, int32_t from,
    int32_t to, float *out) {
  switch (f->kind) {
    case ES_PLAIN:
      decode_plain(f->type, values, from, to, out);
      return;
    case ES_BLOCK:
      decode_blocks(f->type, values + (int64_t)(from / f->group) * block_bytes(f->type), (to - from) / f->group, out);
      return;
    default:
      for (int32_t column = from, index = from / f->group; column < to; index++) {
        int32_t end = to - column < f->group ? to : column + f->group;
        float scale = element_at(f->scales, scales, index);
        if (f->kind == ES_AFFINE) {
          decode_affine_group(f->type, values, scale, element_at(f->scales, biases, index), column, end, out);
        } else {
          decode_scaled_group(f->type, values, scale, column, end, out);
        }
        out += end - column;
        column = end;
      }
  }
}

/** One value of a stored row. */
static float decode_value(const struct format *f, const uint8_t *values, const uint8_t *scales, const uint8_t *biases, int32_t column) {
  int32_t group = column / f->group;
  float out[256]; /* a block has at most so many */
  switch (f->kind) {
    case ES_PLAIN:
      return element_at(f->type, values, column);
    case ES_BLOCK:
      decode_blocks(f->type, values + (int64_t)group * block_bytes(f->type), 1, out);
      return out[column % f->group];
    case ES_AFFINE:
      decode_affine_group(f->type, values, element_at(f->scales, scales, group), element_at(f->scales, biases, group), column,
          (int64_t)column + 1, out);
      return out[0];
    default:
      return element_at(f->scales, scales, group) * element_at(f->type, values, column);
  }
}

#endif
