R"espalier(
#define ES_FUNCTION inline
#define ES_UNROLL _Pragma("clang loop unroll(full)")

namespace espalier {

ES_FUNCTION float exponential(float x) {
  return metal::precise::exp(x);
}

ES_FUNCTION float float_of_bits(uint32_t bits) {
  return as_type<float>(bits);
}

} // namespace espalier
)espalier"
