/** Ways to compute experts, compared on those that are loaded. */
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "choice.h"
#include "mlx/ops.h"
#include "mlx/stream.h"
#include "mlx/transforms.h"

namespace espalier::decode {

namespace mx = mlx::core;

/** N matrices [N, O, I] in a format of MLX's, and N vectors [N, O] that are added to products. All are evaluated. */
struct Matrices {
  std::string mode;
  int bits, group;
  mx::array words, scales;               /* [N, O, I * bits / 32], [N, O, I / group] */
  std::optional<mx::array> biases, bias; /* [N, O, I / group], of the affine mode; [N, O] */
};

/** The gated MLPs of N experts. */
struct Experts {
  Matrices gate, up, down; /* [N, F, D], [N, F, D], [N, D, F]; where `stacked`, gate and up are the same [N, 2F, D], the rows of gate first */
  bool stacked;
  int activation; /* 0 silu, 1 gelu, 2 clamped swiglu */
  float alpha, limit;

  int count() const { return gate.words.shape(0); }
  int hidden() const { return down.words.shape(-2); }
  int width() const { return gate.words.shape(-2) / (stacked ? 2 : 1); }
};

/** What decides whether another layer's experts are computed alike. */
std::string description(const Experts &experts, int rows, int top_k, mx::Dtype type);

/** How far a right result may be from another, of its length: some roundings of the type. */
double tolerance(mx::Dtype type);

/** Experts of step `step`, other ones for each; a row's are distinct while there are enough. Two rows have one expert in common. */
mx::array experts_of(int step, int rows, int top_k, int count);

/** The same by MLX's own ops, of ids that are all held. */
using Stock = std::function<mx::array(const mx::array &x, const mx::array &ids, const mx::array &weights)>;

/** Of the steps that are compared: rows of a type, experts a row, and how many are timed one behind the other. */
struct Sizes {
  int rows, top_k;
  mx::Dtype type;
  int steps;
};

class Trial {
 public:
  /** `others` are named, and computed as the stock one is. */
  Choice compare(const Experts &experts, Sizes sizes, const Stock &stock, const std::vector<std::pair<std::string, Stock>> &others);

 private:
  template <typename Value>
  Value on_stream(const std::function<Value()> &call);
  std::optional<mx::Stream> stream; /* a kernel that fails leaves a stream that nothing else uses */
};

} // namespace espalier::decode
