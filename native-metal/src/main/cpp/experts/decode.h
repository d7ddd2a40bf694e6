/** The experts of one to four rows by kernels of our own, where they are right and faster than MLX's `gather_qmm`. */
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dialect.h"
#include "trial.h"

namespace espalier::decode {

constexpr int MOST_ROWS = 4; /* of a step; beyond, weights are read once for so many rows that products of matrices are better */

/** A way of running the kernels: rows of a weight that a simdgroup takes, and words of a row that a lane takes, at a time. */
struct Tiling {
  int rows, words;
};

/** Why the kernels cannot compute a step of these experts in the type of x; empty if they can. */
std::string refusal(const Experts &experts, int rows, int top_k, mx::Dtype type);

/** [T, D] of x [T, D], ids [T, K], int32, -1 for those that are not held, and weights [T, K], float. Lazy, as all of MLX. */
class Kernels {
 public:
  Kernels(mx::fast::CustomKernelFunction gate_up, mx::fast::CustomKernelFunction down_sum)
      : gate_up(std::move(gate_up)), down_sum(std::move(down_sum)) {}
  mx::array operator()(const Experts &experts, Tiling tiling, const mx::array &x, const mx::array &ids, const mx::array &weights) const;

 private:
  mx::fast::CustomKernelFunction gate_up, down_sum;
};

/** Decides for each shape of experts, number of rows and of experts a row, when it is first met, by comparing on the experts of that call. */
class Decode {
 public:
  /** For the default device. */
  Decode();
  explicit Decode(Kernels kernels) : kernels(std::move(kernels)) {}

  /** Whether a step of so many rows is worth asking about. */
  bool takes(int rows) const { return kernels && rows <= MOST_ROWS; }

  /** Nothing where `gather_qmm` is to be used. Arguments as those of Kernels. */
  std::optional<mx::array> operator()(
      const Experts &experts, const Stock &stock, const mx::array &x, const mx::array &ids, const mx::array &weights);

  /** What was decided so far, and why; a line for each decision. */
  const std::string &report() const { return lines; }

 private:
  std::optional<Tiling> choose(const Experts &experts, const Stock &stock, int rows, int top_k, mx::Dtype type, const std::string &step);
  std::optional<Kernels> kernels;
  Trial trial;
  std::map<std::string, std::optional<Tiling>> chosen; /* by the step's description */
  std::string lines;
};

} // namespace espalier::decode
