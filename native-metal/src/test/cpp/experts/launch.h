/** The kernels' text over emulated simdgroups. */
#pragma once

#include "dialect.h"
#include <type_traits>

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wdouble-promotion"
#define double ES_NO_DOUBLE_IN_KERNELS
#include "kernels.inc"

namespace emulated {

/** Fixed when a kernel is compiled, as MLX's template arguments are. */
template <typename X_, typename Scale_, int T_, int K_, int D_, int F_, int FORMAT_, int BITS_, int GROUP_, bool BIASED_, int ACTIVATION_, bool STACKED_,
    int ROWS_, int WORDS_>
struct Shape {
  using X = X_;
  using Scale = Scale_;
  static constexpr int T = T_, K = K_, D = D_, F = F_, FORMAT = FORMAT_, BITS = BITS_, GROUP = GROUP_, ACTIVATION = ACTIVATION_, ROWS = ROWS_,
                       WORDS = WORDS_, STRIDE = STACKED_ ? 2 * F_ : F_, UP = STACKED_ ? F_ : 0;
  static constexpr bool BIASED = BIASED_, STACKED = STACKED_;
};

/** The same with another tiling. */
template <typename S, int ROWS, int WORDS>
using Tiled = Shape<typename S::X, typename S::Scale, S::T, S::K, S::D, S::F, S::FORMAT, S::BITS, S::GROUP, S::BIASED, S::ACTIVATION, S::STACKED, ROWS, WORDS>;

/** One matrix an expert. */
template <typename S>
struct Matrices {
  Pointer<const uint32_t> words;
  Pointer<const typename S::Scale> scales, biases;
  Pointer<const typename S::X> bias;
};

inline const float LIMITS[] = {1.702f, 0.75f};

template <typename S>
void gate_up(Pointer<const typename S::X> x, Pointer<const int> ids, const Matrices<S> &g, const Matrices<S> &u,
    Pointer<typename S::X> hidden, int block, int pair) {
  using X = typename S::X;
  constexpr int T = S::T, K = S::K, D = S::D, F = S::F, STRIDE = S::STRIDE, UP = S::UP, FORMAT = S::FORMAT, BITS = S::BITS, GROUP = S::GROUP,
                ACTIVATION = S::ACTIVATION, ROWS = S::ROWS, WORDS = S::WORDS;
  constexpr bool BIASED = S::BIASED;
  Pointer<const uint32_t> gate = g.words, up = u.words;
  Pointer<const typename S::Scale> gate_scales = g.scales, gate_biases = g.biases, up_scales = u.scales, up_biases = u.biases;
  Pointer<const X> gate_bias = g.bias, up_bias = u.bias;
  Pointer<const float> limits(LIMITS, 2, "limits");
  Simdgroup::shared().run([&](int lane) {
#include "gate_up.inc"
  });
}

template <typename S>
void down_sum(Pointer<const typename S::X> hidden, Pointer<const int> ids, Pointer<const float> weights, const Matrices<S> &d,
    Pointer<typename S::X> out, int block) {
  using X = typename S::X;
  constexpr int T = S::T, K = S::K, D = S::D, F = S::F, FORMAT = S::FORMAT, BITS = S::BITS, GROUP = S::GROUP, ROWS = S::ROWS, WORDS = S::WORDS;
  constexpr bool BIASED = S::BIASED;
  Pointer<const uint32_t> down = d.words;
  Pointer<const typename S::Scale> down_scales = d.scales, down_biases = d.biases;
  Pointer<const X> down_bias = d.bias;
  Simdgroup::shared().run([&](int lane) {
#include "down_sum.inc"
  });
}

} // namespace emulated
#undef double
#pragma GCC diagnostic pop
