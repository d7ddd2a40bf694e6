/* Which stored formats MLX computes with, and as what. */
#include "load.h"

namespace espalier {

static bool is_one_of(int value, std::initializer_list<int> all) { return std::find(all.begin(), all.end(), value) != all.end(); }

static bool is_scaled(const format &f, int values, int group, int scales) {
  return f.kind == ES_SCALED && f.type == values && f.group == group && f.scales == scales;
}

/** Bits of the affine format with groups of 32 that has the same numbers; 0 where there is none. */
static int affine_bits(int block) {
  switch (block) {
    case ES_Q4_0:
    case ES_Q4_1: return 4;
    case ES_Q5_0:
    case ES_Q5_1: return 5;
    case ES_Q8_0: return 8;
    default: return 0;
  }
}

static mx::Dtype element_type(int element) {
  return element == ES_BF16 ? mx::bfloat16 : element == ES_F16 ? mx::float16 : mx::float32;
}

/** Numbers that are computed with as bfloat16 stay so; all others become floats, in which they are exact. */
static mx::Dtype loaded_type(const es_program &p, int element, Exactness exactness) {
  return element == ES_BF16 && is_fast(&p) && on_gpu() && exactness == Exactness::AS_ACTIVATIONS ? mx::bfloat16 : mx::float32;
}

Kind kind_of(const es_program &p, const weight &w, Exactness exactness) {
  const format &f = w.format;
  auto affine = [](int bits, int group, mx::Dtype scales) { return Kind{"affine", bits, group, mx::uint32, scales}; };
  if (f.kind == ES_PLAIN) {
    return {"", 0, 0, loaded_type(p, f.type, exactness), mx::float32};
  }
  if (f.kind == ES_AFFINE && is_one_of(f.type, {2, 3, 4, 5, 6, 8}) && is_one_of(f.group, {32, 64, 128})) {
    return affine(f.type, f.group, loaded_type(p, f.scales, exactness));
  }
  if (f.kind == ES_BLOCK && affine_bits(f.type) > 0) {
    return affine(affine_bits(f.type), 32, mx::float32);
  }
  if (f.kind == ES_SCALED && f.type == ES_INT4 && is_one_of(f.group, {32, 64, 128}) && f.scales >= ES_BF16) {
    return affine(4, f.group, loaded_type(p, f.scales, exactness));
  }
  if (is_scaled(f, ES_E2M1, 32, ES_E8M0) || (f.kind == ES_BLOCK && f.type == ES_MXFP4)) {
    return {"mxfp4", 4, 32, mx::uint32, mx::uint8};
  }
  if (is_scaled(f, ES_E4M3, 32, ES_E8M0)) {
    return {"mxfp8", 8, 32, mx::uint32, mx::uint8};
  }
  if (is_scaled(f, ES_E2M1, 16, ES_E4M3)) {
    return {"nvfp4", 4, 16, mx::uint32, mx::uint8};
  }
  throw Failure(ES_FAILED, std::string("weight ") + w.name + " has a format that MLX does not compute with");
}

void require_operand(const weight &w, const Kind &kind) {
  auto refuse = [&](const std::string &why) { throw Failure(ES_FAILED, std::string("weight ") + w.name + " " + why); };
  bool quantized = !kind.mode.empty();
  if (quantized && w.transposed && (w.row_step != 1 || w.first_row % kind.group != 0)) {
    refuse("has rows that are stored columns and do not begin with a group: MLX cannot multiply with them");
  }
  if (quantized && (w.transposed ? w.rows : w.columns) % kind.group != 0) {
    refuse("has rows that are not whole groups: MLX cannot multiply with them");
  }
  if (w.pieces[0].scales.shared_by != 1) {
    refuse("has scales that rows share: MLX cannot multiply with them");
  }
}

int64_t operand_bytes(const Kind &kind, int64_t values) {
  if (kind.mode.empty()) {
    return values * mx::size_of(kind.values);
  }
  int64_t scales = values / kind.group * mx::size_of(kind.scales);
  return values * kind.bits / 8 + scales * (kind.mode == "affine" ? 2 : 1);
}

mx::Dtype stored_scales(const format &f) {
  return f.kind == ES_BLOCK ? (f.type == ES_MXFP4 ? mx::uint8 : mx::float32) : f.scales >= ES_BF16 ? element_type(f.scales) : mx::uint8;
}

mx::Dtype stored_values(const format &f) { return f.kind == ES_PLAIN ? element_type(f.type) : mx::uint32; }

} // namespace espalier
