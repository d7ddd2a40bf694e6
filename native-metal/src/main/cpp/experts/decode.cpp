#include "decode.h"

#include <algorithm>

namespace espalier::decode {

constexpr int SIMDGROUPS = 8; /* of a threadgroup */
constexpr int MEASURED_STEPS = 16; /* one behind the other, each with other experts, as the layers of a model */
static const Tiling TILINGS[] = {{1, 4}, {2, 2}, {4, 1}};

static std::string refusal(const Matrices &m, const char *name, int columns) {
  const bool affine = m.mode == "affine" && (m.bits == 4 || m.bits == 8) && (m.group == 32 || m.group == 64 || m.group == 128) && m.biases;
  if (!affine && !(m.mode == "mxfp4" && m.bits == 4 && m.group == 32)) {
    return std::string(name) + " is " + m.mode + " with " + std::to_string(m.bits) + " bits in groups of " + std::to_string(m.group);
  }
  if (m.words.ndim() != 3 || columns % m.group != 0 || m.words.shape(2) != columns / 32 * m.bits || m.scales.shape(-1) != columns / m.group) {
    return std::string(name) + " has rows that are not of whole groups";
  }
  for (const mx::array *part : {&m.words, &m.scales, m.biases ? &*m.biases : nullptr, m.bias ? &*m.bias : nullptr}) {
    if (part != nullptr && (!part->is_available() || !part->flags().row_contiguous)) {
      return std::string(name) + " does not lie in memory as one piece";
    }
  }
  return "";
}

/** Of two matrices that are read together. */
static bool alike(const Matrices &a, const Matrices &b) {
  return a.mode == b.mode && a.bits == b.bits && a.group == b.group && a.bias.has_value() == b.bias.has_value() && a.words.shape() == b.words.shape();
}

std::string refusal(const Experts &e, int rows, int top_k, mx::Dtype type) {
  if (rows > MOST_ROWS) {
    return "more than " + std::to_string(MOST_ROWS) + " rows";
  }
  if (rows < 1 || top_k < 1) {
    return "no rows or no experts";
  }
  if (type != mx::float32 && type != mx::float16 && type != mx::bfloat16) {
    return "rows that are not floats";
  }
  if (e.activation < 0 || e.activation > 2) {
    return "activation " + std::to_string(e.activation);
  }
  if (!alike(e.gate, e.up)) {
    return "gate and up of different formats";
  }
  const std::string gate = refusal(e.gate, "gate", e.hidden()), up = refusal(e.up, "up", e.hidden());
  return !gate.empty() ? gate : !up.empty() ? up : refusal(e.down, "down", e.width());
}

/** Stands in an argument that the kernel does not read. */
static const mx::array &or_scales(const std::optional<mx::array> &part, const Matrices &m) { return part ? *part : m.scales; }

static int format(const Matrices &m) { return m.mode == "affine" ? 0 : 1; }

mx::array Kernels::operator()(const Experts &e, Tiling tiling, const mx::array &x, const mx::array &ids, const mx::array &weights) const {
  const int rows = x.shape(0), top_k = ids.shape(1), hidden = e.hidden(), width = e.width();
  auto arguments = [&](const Matrices &m) {
    return std::vector<std::pair<std::string, mx::fast::TemplateArg>>{{"X", x.dtype()}, {"T", rows}, {"K", top_k}, {"D", hidden}, {"F", width},
        {"FORMAT", format(m)}, {"BITS", m.bits}, {"GROUP", m.group}, {"BIASED", m.bias.has_value()}, {"ROWS", tiling.rows}, {"WORDS", tiling.words}};
  };
  auto threads = [&](int matrix_rows, int pairs) { return std::tuple(32, matrix_rows / tiling.rows, pairs); };
  const std::tuple<int, int, int> group(32, SIMDGROUPS, 1);

  auto of_gate_up = arguments(e.gate);
  of_gate_up.push_back({"STRIDE", e.stacked ? 2 * width : width});
  of_gate_up.push_back({"UP", e.stacked ? width : 0});
  of_gate_up.push_back({"ACTIVATION", e.activation});
  const float limits[] = {e.alpha, e.limit};
  const mx::array between = gate_up({x, ids, e.gate.words, e.gate.scales, or_scales(e.gate.biases, e.gate), e.up.words, e.up.scales,
                                        or_scales(e.up.biases, e.up), or_scales(e.gate.bias, e.gate), or_scales(e.up.bias, e.up),
                                        mx::array(limits, {2}, mx::float32)},
      {mx::Shape{rows * top_k, width}}, {x.dtype()}, threads(width, rows * top_k), group, of_gate_up, std::nullopt, false, {})[0];
  return down_sum({between, ids, weights, e.down.words, e.down.scales, or_scales(e.down.biases, e.down), or_scales(e.down.bias, e.down)},
      {mx::Shape{rows, hidden}}, {x.dtype()}, threads(hidden, 1), group, arguments(e.down), std::nullopt, false, {})[0];
}

Decode::Decode() {
  if (const std::optional<Dialect> dialect = dialect_here()) {
    try {
      kernels.emplace(gate_up_kernel(*dialect), down_sum_kernel(*dialect));
    } catch (const std::exception &error) {
      lines = std::string("experts by gather_qmm: MLX takes no kernels here: ") + error.what() + "\n";
    }
  } else {
    lines = "experts by gather_qmm: kernels of our own are for Metal and CUDA, and this device is neither\n";
  }
}

std::optional<Tiling> Decode::choose(
    const Experts &e, const Stock &stock, int rows, int top_k, mx::Dtype type, const std::string &step) {
  std::vector<std::pair<std::string, Stock>> ways;
  for (const Tiling tiling : TILINGS) {
    ways.emplace_back("kernels of " + std::to_string(tiling.rows) + " rows and " + std::to_string(tiling.words) + " words",
        [&, tiling](const mx::array &y, const mx::array &chosen, const mx::array &shares) { return (*kernels)(e, tiling, y, chosen, shares); });
  }
  const Choice choice = trial.compare(e, {rows, top_k, type, MEASURED_STEPS}, stock, ways);
  lines += step + ": " + choice.report + "\n";
  return choice.taken == Choice::STOCK ? std::nullopt : std::optional(TILINGS[choice.taken]);
}

std::optional<mx::array> Decode::operator()(
    const Experts &e, const Stock &stock, const mx::array &x, const mx::array &ids, const mx::array &weights) {
  const int rows = x.shape(0), top_k = ids.shape(1);
  if (!takes(rows)) {
    return std::nullopt;
  }
  const std::string step = description(e, rows, top_k, x.dtype());
  auto found = chosen.find(step);
  if (found == chosen.end()) {
    std::optional<Tiling> tiling;
    const std::string why = refusal(e, rows, top_k, x.dtype());
    if (why.empty()) {
      tiling = choose(e, stock, rows, top_k, x.dtype(), step);
    } else {
      lines += step + ": gather_qmm taken: " + why + "\n";
    }
    found = chosen.emplace(step, tiling).first;
  }
  return found->second ? std::optional((*kernels)(e, *found->second, x, ids, weights)) : std::nullopt;
}

} // namespace espalier::decode
