/*
 * Enough of Metal's words for clang to parse the kernels: address spaces as attributes, which do not convert into each other, so that a pointer
 * without one, or with the wrong one, is an error. Metal's own compiler is more than this: `constant` at program scope, resources, precision.
 */
typedef unsigned char uint8_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned int uint;
typedef _Float16 float16_t;
typedef __bf16 bfloat16_t;

struct uint3 {
  uint x, y, z;
};

#define device __attribute__((address_space(1)))
#define constant __attribute__((address_space(2)))
#define threadgroup __attribute__((address_space(3)))
#define thread
#define kernel
#define host_name(name)
#define double ES_NO_DOUBLE_IN_METAL

namespace metal {
float simd_sum(float value);
namespace precise {
float exp(float x);
}
} // namespace metal
using namespace metal;

template <typename To, typename From>
To as_type(From from) {
  return __builtin_bit_cast(To, from);
}
