/* Weights as MLX multiplies them. */
#pragma once

#include <optional>

#include "device.h"

namespace espalier {

/** How the values of an operand are kept. */
struct Kind {
  std::string mode; /* as MLX names it; empty for plain values */
  int bits = 0, group = 0;
  mx::Dtype values = mx::uint32, scales = mx::uint8; /* types in memory once loaded; of plain values only the first counts */
};

/** N matrices W [O, I], loaded. Where N is 1 the first dimension is left out. */
struct Operand {
  Kind kind;
  int count, rows, columns; /* N, O, I */
  bool transposed;          /* stored as [N, I, O] */
  array values = array(0.0f);
  std::optional<array> scales, biases;

  /** x Wᵀ: [..., T, I] to [..., T, O]; of N matrices [N, T, I] to [N, T, O]. */
  array product(const array &x) const;
  /** x W: [..., T, O] to [..., T, I]. */
  array product_back(const array &x) const;
  /** Row i of x [R, 1, I], or of x [R, 1, 1, I] with K experts a row, by the matrix that `ids` names: [R, 1, O], or [R, K, 1, O]. */
  array gathered(const array &x, const array &ids, bool sorted) const;
  /** The rows `ids` [T] of the one matrix: [T, I]. */
  array rows_of(const array &ids) const;
  std::vector<array> arrays() const;

 private:
  array multiply(const array &x, bool by_rows) const;
};

} // namespace espalier
