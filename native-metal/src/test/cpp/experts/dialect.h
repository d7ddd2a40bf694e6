/*
 * The third dialect of the kernels, C++ as strict as Metal or stricter: pointers know their ends, numbers of 16 bits convert by name only, and
 * `double` is no word. To be included behind all other headers, and before kernels.text.h.
 */
#pragma once

#include "simdgroup.h"
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace emulated {

/** Words of weights that kernels have read so far: nothing else has words. */
inline int64_t words_read = 0;

/** What a kernel sees of an array. Reading or writing outside is an error that names it. */
template <typename V>
class Pointer {
 public:
  Pointer(V *values, int64_t count, const char *name) : values(values), count(count), name(name) {}

  V &operator[](int64_t index) const {
    if (index < 0 || index >= count) {
      throw std::out_of_range(std::string(name) + "[" + std::to_string(index) + "], which has " + std::to_string(count) + " values");
    }
    words_read += std::is_same<V, const uint32_t>::value;
    return values[index];
  }

 private:
  V *values;
  int64_t count;
  const char *name;
};

inline uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

struct BFloat {
  uint16_t bits;
  BFloat() = default;
  explicit BFloat(float value) : bits(uint16_t((bits_of(value) + 0x7fffu + ((bits_of(value) >> 16) & 1u)) >> 16)) {}
  explicit operator float() const { return float_of(uint32_t(bits) << 16); }
};

struct Half {
  uint16_t bits;
  Half() = default;

  /** To the nearest; beyond 65504, infinity. */
  explicit Half(float value) {
    const uint32_t sign = (bits_of(value) >> 16) & 0x8000u;
    const float magnitude = std::fabs(value);
    if (!(magnitude < 65520.0f)) {
      bits = uint16_t(sign | (magnitude == magnitude ? 0x7c00u : 0x7e00u));
    } else if (magnitude < 0.00006103515625f) { // 2^-14: multiples of 2^-24
      bits = uint16_t(sign | uint32_t(std::nearbyintf(magnitude * 16777216.0f)));
    } else {
      const uint32_t all = bits_of(magnitude);
      bits = uint16_t(sign | ((all - 0x38000000u + 0xfffu + ((all >> 13) & 1u)) >> 13));
    }
  }

  explicit operator float() const {
    const uint32_t sign = uint32_t(bits & 0x8000u) << 16, rest = bits & 0x7fffu;
    if (rest >= 0x7c00u) {
      return float_of(sign | 0x7f800000u | ((rest & 0x3ffu) << 13));
    }
    return rest < 0x400u ? float_of(sign | bits_of(float(rest) * 0.000000059604644775390625f)) : float_of(sign | ((rest << 13) + 0x38000000u));
  }
};

} // namespace emulated

#define ES_FUNCTION inline
#define ES_UNROLL
#define simd_sum(value) emulated::Simdgroup::sum(value, __LINE__)

namespace espalier {

ES_FUNCTION float exponential(float x) {
  return std::exp(x);
}

ES_FUNCTION float float_of_bits(uint32_t bits) {
  return emulated::float_of(bits);
}

} // namespace espalier
