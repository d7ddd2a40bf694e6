/** Experts of the largest models: gigabytes of addresses, of which only the pages that are touched have memory. */
#pragma once

#include "check.h"
#include <memory>
#include <sys/mman.h>

namespace emulated {

/** Zeros until they are written. */
template <typename V>
class Sparse {
 public:
  explicit Sparse(int64_t count) : count(count) {
    void *all = mmap(nullptr, size_t(count) * sizeof(V), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) {
      throw std::runtime_error("there are no " + std::to_string(count * int64_t(sizeof(V))) + " bytes of addresses");
    }
    values = static_cast<V *>(all);
  }
  Sparse(const Sparse &) = delete;
  ~Sparse() { munmap(values, size_t(count) * sizeof(V)); }

  Pointer<const V> pointer(const char *name) const { return {values, count, name}; }

  V *values;
  int64_t count;
};

template <typename S>
struct SparseStack {
  Sparse<uint32_t> words;
  Sparse<float> scales, biases;
  int64_t columns;

  SparseStack(int64_t rows, int64_t columns)
      : words(rows * columns * S::BITS / 32), scales(rows * columns / S::GROUP), biases(rows * columns / S::GROUP), columns(columns) {}

  /** Rows like any, from `row` on: the same numbers as in a small stack of `count` rows. */
  Stack<S> fill(Random &random, int64_t row, int64_t count) {
    Stack<S> same(random, 1, count, columns);
    std::copy(same.words.begin(), same.words.end(), words.values + row * columns * S::BITS / 32);
    std::copy(same.scales.begin(), same.scales.end(), scales.values + row * columns / S::GROUP);
    std::copy(same.biases.begin(), same.biases.end(), biases.values + row * columns / S::GROUP);
    return same;
  }

  Matrices<S> matrices(const char *name) const {
    return {words.pointer(name), scales.pointer(name), biases.pointer(name), {nullptr, 0, name}};
  }
};

/** The last ROWS rows of the last of `experts` experts: gate, up, down. */
template <typename S>
void far(Report &report, int64_t experts) {
  static_assert(S::T == 1 && S::K == 1 && std::is_same_v<typename S::X, float>);
  Random random{uint64_t(experts)};
  SparseStack<S> gate(experts * S::STRIDE, S::D), apart(S::STACKED ? 1 : experts * S::STRIDE, S::D), down(experts * S::D, S::F);
  SparseStack<S> &up = S::STACKED ? gate : apart;
  const int64_t first = (experts - 1) * S::STRIDE + S::F - S::ROWS;
  const Stack<S> gates = gate.fill(random, first, S::ROWS), ups = up.fill(random, first + S::UP, S::ROWS),
                 downs = down.fill(random, experts * S::D - S::ROWS, S::ROWS);
  std::vector<float> x(S::D), hidden(S::F), out(S::D);
  std::generate(x.begin(), x.end(), [&] { return random.between(-0.1f, 0.1f); });
  const int ids[] = {int(experts) - 1};
  const float weights[] = {0.5f};

  gate_up<S>({x.data(), S::D, "x"}, {ids, 1, "ids"}, gate.matrices("gate"), up.matrices("up"), {hidden.data(), S::F, "hidden"}, S::F / S::ROWS - 1, 0);
  for (int r = 0; r < S::ROWS; r++) {
    const auto g = gates.times(r, x.data()), u = ups.times(r, x.data());
    const double allowed = 1e-6 * (g.magnitude * (std::fabs(u.value) + 1) + u.magnitude * (std::fabs(g.value) + 1));
    report.compare(hidden[S::F - S::ROWS + r], activate<S>(g.value, u.value), allowed, "hidden of expert " + std::to_string(experts - 1));
  }
  std::generate(hidden.begin(), hidden.end(), [&] { return random.between(-0.1f, 0.1f); });
  down_sum<S>({hidden.data(), S::F, "hidden"}, {ids, 1, "ids"}, {weights, 1, "weights"}, down.matrices("down"), {out.data(), S::D, "out"},
      S::D / S::ROWS - 1);
  for (int r = 0; r < S::ROWS; r++) {
    const auto product = downs.times(r, hidden.data());
    report.compare(out[S::D - S::ROWS + r], 0.5 * product.value, 1e-6 * product.magnitude, "out of expert " + std::to_string(experts - 1));
  }
  report.cases++;
}

} // namespace emulated
