/* GGUF's blocks of 32 values as MLX has them: packed one after the other, scale and bias of each group apart. */
#include "load.h"

#include <cstring>

extern "C" {
#include "../c/program/elements.h"
}

namespace espalier {

/** Value j of the first half is the low nibble of byte j, of the second half the high one. */
static void unpack(const uint8_t *nibbles, uint8_t *values) {
  for (int j = 0; j < 16; j++) {
    values[j] = nibbles[j] & 0xf;
    values[16 + j] = nibbles[j] >> 4;
  }
}

/** Lowest bits first, across bytes; 8 values are whole bytes. */
static void pack(const uint8_t *values, int bits, uint8_t *out) {
  for (int i = 0; i < 32; i += 8, out += bits) {
    uint64_t all = 0;
    for (int j = 0; j < 8; j++) {
      all |= static_cast<uint64_t>(values[i + j]) << bits * j;
    }
    std::memcpy(out, &all, static_cast<size_t>(bits)); /* little-endian, as all that MLX runs on */
  }
}

void regroup(int block, const uint8_t *from, int64_t blocks, uint8_t *values, uint8_t *scales, float *biases) {
  int bytes = block_bytes(block);
  for (int64_t b = 0; b < blocks; b++, from += bytes) {
    uint8_t q[32];
    if (block == ES_MXFP4) {
      scales[b] = from[0];
      unpack(from + 1, q);
      pack(q, 4, values + 16 * b);
      continue;
    }
    float d = f16_at(from), bias = 0;
    int bits = 4;
    switch (block) {
      case ES_Q4_0:
        unpack(from + 2, q);
        bias = -8 * d;
        break;
      case ES_Q4_1:
        bias = f16_at(from + 2);
        unpack(from + 4, q);
        break;
      case ES_Q5_0:
      case ES_Q5_1: {
        const uint8_t *fifth = from + (block == ES_Q5_0 ? 2 : 4);
        bias = block == ES_Q5_0 ? -16 * d : f16_at(from + 2);
        bits = 5;
        unpack(fifth + 4, q);
        for (int j = 0; j < 32; j++) {
          q[j] |= (fifth[j / 8] >> j % 8 & 1) << 4;
        }
        break;
      }
      default: /* ES_Q8_0 */
        bits = 8;
        bias = -128 * d;
        for (int j = 0; j < 32; j++) {
          q[j] = from[2 + j] ^ 0x80;
        }
    }
    pack(q, bits, values + 4 * bits * b);
    std::memcpy(scales + 4 * b, &d, 4);
    biases[b] = bias;
  }
}

} // namespace espalier
