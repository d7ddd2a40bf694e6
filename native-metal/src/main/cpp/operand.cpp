#include "operand.h"

namespace espalier {

/** The type in which rows are multiplied: the scales', so that neither is converted at every step. */
static array in_type(const Operand &o, const array &x) {
  mx::Dtype type = o.kind.mode.empty() ? o.values.dtype() : o.kind.scales;
  if (type == mx::uint8) { /* scales of small floats go with any type */
    return wide(x);
  }
  return x.dtype() == type ? x : mx::astype(x, type);
}

array Operand::multiply(const array &x, bool by_rows) const {
  array rows = in_type(*this, x);
  bool as_stored = by_rows != transposed; /* sums over the stored columns */
  if (kind.mode.empty()) {
    return mx::matmul(rows, as_stored ? mx::swapaxes(values, -1, -2) : values);
  }
  return mx::quantized_matmul(rows, values, *scales, biases, as_stored, kind.group, kind.bits, kind.mode);
}

array Operand::product(const array &x) const { return multiply(x, true); }

array Operand::product_back(const array &x) const { return multiply(x, false); }

static array stacked(const array &a, int count) { return count == 1 ? mx::expand_dims(a, 0) : a; }

array Operand::gathered(const array &x, const array &ids, bool sorted) const {
  array rows = in_type(*this, x), w = stacked(values, count);
  if (kind.mode.empty()) {
    return mx::gather_mm(rows, transposed ? w : mx::swapaxes(w, -1, -2), std::nullopt, ids, sorted);
  }
  std::optional<array> b = biases ? std::optional(stacked(*biases, count)) : std::nullopt;
  return mx::gather_qmm(rows, w, stacked(*scales, count), b, std::nullopt, ids, !transposed, kind.group, kind.bits, kind.mode, std::nullopt, sorted);
}

array Operand::rows_of(const array &ids) const {
  if (transposed) { /* plain values only, see can_be_operand */
    return mx::swapaxes(mx::take(values, ids, 1), 0, 1);
  }
  array rows = mx::take(values, ids, 0);
  if (kind.mode.empty()) {
    return rows;
  }
  std::optional<array> b = biases ? std::optional(mx::take(*biases, ids, 0)) : std::nullopt;
  std::optional<mx::Dtype> type = kind.scales == mx::uint8 ? std::optional(mx::float32) : std::nullopt;
  return mx::dequantize(rows, mx::take(*scales, ids, 0), b, kind.group, kind.bits, kind.mode, std::nullopt, type);
}

std::vector<array> Operand::arrays() const {
  std::vector<array> all{values};
  if (scales) {
    all.push_back(*scales);
  }
  if (biases) {
    all.push_back(*biases);
  }
  return all;
}

} // namespace espalier
