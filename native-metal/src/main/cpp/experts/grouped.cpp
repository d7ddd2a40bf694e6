#include "grouped.h"

#include <algorithm>
#include <bit>

#include "mlx/backend/cuda/cuda.h"

namespace espalier::decode {

constexpr int PAIRS = 64;        /* of row and expert from which it is asked about */
constexpr int TIMED_STEPS = 2;   /* long ones */

HeldPairs held_pairs(const mx::array &places) {
  const auto *place = places.data<int32_t>();
  const int pairs = static_cast<int>(places.size()), top_k = places.shape(1);
  std::vector<int32_t> order;
  for (int i = 0; i < pairs; i++) {
    if (place[i] >= 0) {
      order.push_back(i);
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return place[a] < place[b]; });
  HeldPairs held{{}, {}, std::vector<int32_t>(static_cast<size_t>(pairs), static_cast<int32_t>(order.size()))};
  for (const int32_t pair : order) {
    held.at[static_cast<size_t>(pair)] = held.count();
    held.rows.push_back(pair / top_k);
    held.experts.push_back(place[pair]);
  }
  return held;
}

/** Rows of x by expert i, without a bias: [R, I] to [R, O]. */
static mx::array product(const Matrices &m, int i, const mx::array &x) {
  auto of = [&](const mx::array &all) { return mx::squeeze(mx::slice(all, {i, 0, 0}, {i + 1, all.shape(1), all.shape(2)}), 0); };
  const std::optional<mx::array> biases = m.biases ? std::optional(of(*m.biases)) : std::nullopt;
  const mx::array rows = m.biases ? mx::astype(x, m.scales.dtype()) : x;
  return mx::quantized_matmul(rows, of(m.words), of(m.scales), biases, true, m.group, m.bits, m.mode);
}

static mx::array plus(const mx::array &x, const std::optional<mx::array> &bias, int i) {
  return bias ? x + mx::slice(*bias, {i, 0}, {i + 1, bias->shape(1)}) : x;
}

static mx::array by_expert(const Experts &e, const Hooks &hooks, int i, const mx::array &x) {
  mx::array gate = product(e.gate, i, x), up = gate;
  if (e.stacked) {
    const int width = e.width(), rows = x.shape(0);
    up = mx::slice(gate, {0, width}, {rows, 2 * width});
    gate = mx::slice(gate, {0, 0}, {rows, width});
  } else {
    up = product(e.up, i, x);
  }
  return plus(product(e.down, i, hooks.activate(plus(gate, e.gate.bias, i), plus(up, e.up.bias, i))), e.down.bias, i);
}

mx::array grouped(const Experts &e, const Hooks &hooks, const mx::array &x, const mx::array &ids, const mx::array &weights) {
  const mx::array places = mx::contiguous(ids);
  hooks.evaluate({places, x});
  const HeldPairs held = held_pairs(places);
  const int count = held.count();
  if (count == 0) {
    return mx::zeros_like(x);
  }
  const mx::array sorted = mx::take(x, mx::array(held.rows.data(), {count}, mx::int32), 0);
  std::vector<mx::array> all;
  for (int first = 0, end; first < count; first = end) {
    const int expert = held.experts[static_cast<size_t>(first)];
    end = first;
    while (end < count && held.experts[static_cast<size_t>(end)] == expert) {
      end++;
    }
    all.push_back(mx::astype(by_expert(e, hooks, expert, mx::slice(sorted, {first, 0}, {end, x.shape(1)})), mx::float32));
  }
  all.push_back(mx::zeros({1, x.shape(1)}, mx::float32)); /* for those that are not held */
  const mx::array y = mx::take(mx::concatenate(all, 0), mx::array(held.at.data(), ids.shape(), mx::int32), 0); /* [T, K, D] */
  return mx::astype(mx::sum(y * mx::expand_dims(weights, -1), 1), x.dtype());
}

Grouped::Grouped() : offered(mx::cu::is_available()) {}

bool Grouped::takes(int pairs) const { return offered && pairs >= PAIRS; }

std::optional<mx::array> Grouped::operator()(
    const Experts &e, const Hooks &hooks, const Stock &stock, const mx::array &x, const mx::array &ids, const mx::array &weights) {
  const int rows = static_cast<int>(std::bit_floor(static_cast<unsigned>(x.shape(0)))), top_k = ids.shape(1);
  const std::string step = description(e, rows, top_k, x.dtype()) + " (" + std::to_string(rows) + " to " + std::to_string(2 * rows - 1) + " rows)";
  auto found = chosen.find(step);
  if (found == chosen.end()) {
    const Hooks alone{hooks.activate, [](std::vector<mx::array> all) { mx::eval(std::move(all)); }};
    /* ids come of the rows before, as a router's do, so that what looking at them costs is timed */
    auto way = [&](const mx::array &y, const mx::array &places, const mx::array &shares) {
      const mx::array nothing = mx::astype(mx::sum(y) * mx::array(0.0f, y.dtype()), mx::int32);
      return grouped(e, alone, y, places + nothing, shares);
    };
    const Choice choice = trial.compare(e, {rows, top_k, x.dtype(), TIMED_STEPS}, stock, {{"rows grouped by expert", way}});
    lines += step + ": " + choice.report + "\n";
    found = chosen.emplace(step, choice.taken != Choice::STOCK).first;
  }
  return found->second ? std::optional(grouped(e, hooks, x, ids, weights)) : std::nullopt;
}

} // namespace espalier::decode
