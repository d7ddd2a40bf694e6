R"espalier(
#define ES_FUNCTION __device__ __forceinline__
#define ES_UNROLL _Pragma("unroll")

namespace espalier {

ES_FUNCTION float exponential(float x) {
  return expf(x);
}

ES_FUNCTION float float_of_bits(uint32_t bits) {
  return __uint_as_float(bits);
}

/** Over the lanes of a warp, the same bits in each. */
ES_FUNCTION float simd_sum(float value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    value += __shfl_xor_sync(0xffffffffu, value, lanes);
  }
  return value;
}

} // namespace espalier
)espalier"
