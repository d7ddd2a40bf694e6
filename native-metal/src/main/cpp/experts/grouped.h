/** The experts of many rows, for each expert one product with all its rows, where that is right and faster than MLX's `gather_qmm`. */
#pragma once

#include <map>

#include "trial.h"

namespace espalier::decode {

/** The pairs of row and expert that are held, sorted by expert. */
struct HeldPairs {
  std::vector<int32_t> rows, experts; /* of each */
  std::vector<int32_t> at;            /* of each of all pairs [T * K]: where it is among these, or their number where it is not held */

  int count() const { return static_cast<int>(rows.size()); }
};

/** Of places [T, K], contiguous and evaluated, -1 where the expert is not held. */
HeldPairs held_pairs(const mx::array &places);

/** What the engine has for it. */
struct Hooks {
  std::function<mx::array(const mx::array &gate, const mx::array &up)> activate; /* in the type of the rows */
  std::function<void(std::vector<mx::array>)> evaluate;
};

/**
 * [T, D] of x [T, D], ids [T, K], -1 for those that are not held, and weights [T, K]. It looks at the ids, so that all before them is evaluated: one
 * synchronization a layer.
 */
mx::array grouped(const Experts &experts, const Hooks &hooks, const mx::array &x, const mx::array &ids, const mx::array &weights);

/** Decides for each shape of experts, number of rows (by powers of two) and of experts a row, when it is first met. */
class Grouped {
 public:
  /** Where MLX is CUDA's, whose `gather_qmm` multiplies each pair of row and expert by itself, sorted or not. */
  Grouped();

  /** Whether a step of so many pairs of row and expert is worth asking about. */
  bool takes(int pairs) const;

  /** Nothing where `gather_qmm` is to be used. */
  std::optional<mx::array> operator()(
      const Experts &experts, const Hooks &hooks, const Stock &stock, const mx::array &x, const mx::array &ids, const mx::array &weights);

  /** What was decided so far, and why; a line for each decision. */
  const std::string &report() const { return lines; }

 private:
  bool offered;
  Trial trial;
  std::map<std::string, bool> chosen; /* by the step's description */
  std::string lines;
};

} // namespace espalier::decode
