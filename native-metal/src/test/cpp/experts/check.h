/** Random experts, the kernels over them, and what plain arithmetic in double says. */
#pragma once

#include "launch.h"
#include <algorithm>
#include <cstdio>
#include <set>
#include <vector>

namespace emulated {

class Random {
 public:
  explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15u + 1) {}

  uint32_t word() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return uint32_t(state >> 32);
  }

  float between(float low, float high) { return low + (high - low) * (float(word() >> 8) / 16777216.0f); }

 private:
  uint64_t state;
};

inline uint8_t number(uint8_t value) { return value; }
template <typename V>
double number(V value) {
  return double(float(value));
}

/** [experts][rows][columns], packed as MLX does it. */
template <typename S>
struct Stack {
  std::vector<uint32_t> words;
  std::vector<typename S::Scale> scales, biases;
  int64_t columns;

  Stack(Random &random, int64_t experts, int64_t rows, int64_t columns)
      : words(experts * rows * columns * S::BITS / 32), scales(experts * rows * columns / S::GROUP), biases(scales.size()), columns(columns) {
    std::generate(words.begin(), words.end(), [&] { return random.word(); });
    for (size_t i = 0; i < scales.size(); i++) {
      if constexpr (S::FORMAT == espalier::MXFP4) {
        scales[i] = uint8_t(119 + random.word() % 8);
      } else {
        const float step = random.between(0.5f, 1.0f) / float(1 << S::BITS);
        scales[i] = typename S::Scale(i % 3 == 0 ? -step : step);
        biases[i] = typename S::Scale(random.between(-1.0f, 1.0f));
      }
    }
  }

  Matrices<S> matrices(const char *name, const std::vector<typename S::X> &bias = {}) const {
    return {{words.data(), int64_t(words.size()), name}, {scales.data(), int64_t(scales.size()), name}, {biases.data(), int64_t(biases.size()), name},
        {bias.data(), int64_t(bias.size()), name}};
  }

  /** A product, and the sum of the magnitudes of all that was added for it. */
  struct Product {
    double value, magnitude;

    Product plus(double bias) const { return {value + bias, magnitude + std::fabs(bias)}; }
  };

  /** Of row `row` of the whole stack. */
  template <typename V>
  Product times(int64_t row, const V *x) const {
    Product product = {0, 0};
    for (int64_t c = 0; c < columns; c++) {
      const int64_t at = row * columns + c;
      const uint32_t bits = words[at * S::BITS / 32] >> (at * S::BITS % 32) & ((uint64_t(1) << S::BITS) - 1);
      double scaled, offset = 0;
      if constexpr (S::FORMAT == espalier::MXFP4) {
        static const double E2M1[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6};
        scaled = E2M1[bits] * std::ldexp(1.0, int(scales[at / S::GROUP]) - 127);
      } else {
        scaled = bits * number(scales[at / S::GROUP]);
        offset = number(biases[at / S::GROUP]);
      }
      product.value += (scaled + offset) * number(x[c]);
      product.magnitude += (std::fabs(scaled) + std::fabs(offset)) * std::fabs(number(x[c]));
    }
    return product;
  }
};

template <typename S>
double activate(double gate, double up) {
  constexpr double PI = 3.14159265358979323846;
  switch (S::ACTIVATION) {
    case espalier::SILU: return gate / (1 + std::exp(-gate)) * up;
    case espalier::GELU: return gate / 2 * (1 + std::tanh(std::sqrt(2 / PI) * (gate + 0.044715 * gate * gate * gate))) * up;
    default: {
      const double g = std::min(gate, double(LIMITS[1])), u = std::max(-double(LIMITS[1]), std::min(double(LIMITS[1]), up));
      return g / (1 + std::exp(-double(LIMITS[0]) * g)) * (u + 1);
    }
  }
}

/** Half a unit in the last place of the step's numbers, of 1. */
template <typename X>
constexpr double rounding() {
  return std::is_same_v<X, float> ? 6e-8 : std::is_same_v<X, Half> ? 0.00048829 : 0.00390626;
}

struct Report {
  int cases = 0, failures = 0;
  double share = 0; /* of what rounding allows, at most */

  void compare(double got, double want, double allowed, const std::string &what) {
    const double difference = std::fabs(got - want);
    share = std::max(share, difference / allowed);
    if (!(difference <= allowed) && failures++ < 5) {
      printf("%s is %.9g, expected %.9g within %.3g\n", what.c_str(), got, want, allowed);
    }
  }

  /** Each once, however many rows chose the expert. */
  void expect_words(int64_t read, int64_t want, const char *what) {
    if (read != want && failures++ < 5) {
      printf("%lld words of %s were read, expected %lld\n", static_cast<long long>(read), what, static_cast<long long>(want));
    }
  }
};

/** Which experts the rows chose: [T][K], places in the stack or -1. */
using Ids = std::vector<int>;

/** Both kernels over the whole grid, as CUDA rounds it up, and each number of theirs. */
template <typename S>
void check(Report &report, int64_t experts, const Ids &ids, uint64_t seed) {
  using X = typename S::X;
  constexpr int T = S::T, K = S::K, D = S::D, F = S::F;
  constexpr double SUMS = 4e-7; // of a float's sums, of the magnitudes
  Random random(seed);
  const Stack<S> gate(random, experts, S::STRIDE, D), apart(random, S::STACKED ? 0 : experts, F, D), down(random, experts, D, F);
  const Stack<S> &up = S::STACKED ? gate : apart;
  std::vector<X> x(T * D), hidden(T * K * F, X(NAN)), out(T * D, X(NAN));
  std::vector<float> weights(T * K);
  std::vector<X> gate_bias(S::BIASED ? experts * F : 0), up_bias(gate_bias.size()), down_bias(S::BIASED ? experts * D : 0);
  for (std::vector<X> *bias : {&gate_bias, &up_bias, &down_bias}) {
    std::generate(bias->begin(), bias->end(), [&] { return X(random.between(-1.0f, 1.0f)); });
  }
  auto bias_of = [](const std::vector<X> &bias, int64_t at) { return S::BIASED ? number(bias[at]) : 0.0; };
  std::generate(x.begin(), x.end(), [&] { return X(random.between(-0.5f, 0.5f)); });
  std::generate(weights.begin(), weights.end(), [&] { return random.between(0.0f, 1.0f); });

  std::set<int> chosen(ids.begin(), ids.end());
  chosen.erase(-1);
  const int64_t words = int64_t(chosen.size()) * F * D * S::BITS / 32; // of one matrix of each expert

  words_read = 0;
  for (int pair = 0; pair < T * K; pair++) {
    for (int block = 0; block < (F / S::ROWS + 15) / 16 * 16; block++) {
      gate_up<S>({x.data(), T * D, "x"}, {ids.data(), T * K, "ids"}, gate.matrices("gate", gate_bias), up.matrices("up", up_bias),
          {hidden.data(), T * K * F, "hidden"}, block, pair);
    }
  }
  report.expect_words(words_read, 2 * words, "gate and up");
  words_read = 0;
  for (int block = 0; block < (D / S::ROWS + 15) / 16 * 16; block++) {
    down_sum<S>({hidden.data(), T * K * F, "hidden"}, {ids.data(), T * K, "ids"}, {weights.data(), T * K, "weights"}, down.matrices("down", down_bias),
        {out.data(), T * D, "out"}, block);
  }
  report.expect_words(words_read, words, "down");

  for (int pair = 0; pair < T * K; pair++) {
    for (int f = 0; f < F; f++) {
      const double got = number(hidden[pair * F + f]);
      const std::string what = "hidden[" + std::to_string(pair) + "][" + std::to_string(f) + "]";
      if (ids[pair] < 0) {
        if (!std::isnan(got) && report.failures++ < 5) {
          printf("%s was written, and has no expert\n", what.c_str());
        }
        continue;
      }
      const int64_t row = int64_t(ids[pair]) * S::STRIDE + f;
      const X *of = &x[pair / K * D];
      const auto g = gate.times(row, of).plus(bias_of(gate_bias, int64_t(ids[pair]) * F + f));
      const auto u = up.times(row + S::UP, of).plus(bias_of(up_bias, int64_t(ids[pair]) * F + f));
      const double want = activate<S>(g.value, u.value);
      const double allowed = 2 * SUMS * (g.magnitude * (std::fabs(u.value) + 1) + u.magnitude * (std::fabs(g.value) + 1));
      report.compare(got, want, rounding<X>() * std::fabs(want) + allowed, what);
    }
  }
  for (int t = 0; t < T; t++) {
    for (int d = 0; d < D; d++) {
      double want = 0, allowed = 1e-30;
      for (int k = 0; k < K; k++) {
        if (ids[t * K + k] >= 0) {
          const int64_t row = int64_t(ids[t * K + k]) * D + d;
          const auto product = down.times(row, &hidden[(t * K + k) * F]).plus(bias_of(down_bias, row));
          want += double(weights[t * K + k]) * product.value;
          allowed += SUMS * double(weights[t * K + k]) * product.magnitude;
        }
      }
      report.compare(number(out[t * D + d]), want, rounding<X>() * std::fabs(want) + allowed,
          "out[" + std::to_string(t) + "][" + std::to_string(d) + "]");
    }
  }
  report.cases++;
}

} // namespace emulated
