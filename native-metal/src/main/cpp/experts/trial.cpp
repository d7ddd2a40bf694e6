#include "trial.h"

#include <chrono>

namespace espalier::decode {

/** What decides whether another layer's experts are computed alike. */
std::string description(const Experts &e, int rows, int top_k, mx::Dtype type) {
  auto matrices = [](const Matrices &m) { return m.mode + " " + std::to_string(m.bits) + " bits, group " + std::to_string(m.group); };
  return std::to_string(rows) + " rows of " + std::to_string(type.size() * 8) + (type == mx::bfloat16 ? " bits (bfloat16), " : " bits, ") +
         std::to_string(top_k) + " of " + std::to_string(e.count()) + " experts " + std::to_string(e.hidden()) + " x " + std::to_string(e.width()) +
         (e.stacked ? ", gate and up in one, " : ", ") + matrices(e.gate) + ", down " + matrices(e.down) + (e.gate.bias || e.down.bias ? ", biases" : "") +
         ", activation " + std::to_string(e.activation);
}

double tolerance(mx::Dtype type) { return type == mx::bfloat16 ? 0.015 : type == mx::float16 ? 0.003 : 0.002; }

/** Numbers from -1 to 1, the same each time. */
static mx::array numbers(int rows, int columns, mx::Dtype type) {
  std::vector<float> values(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  uint32_t state = 1;
  for (float &value : values) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
  }
  return mx::astype(mx::array(values.data(), {rows, columns}, mx::float32), type);
}

mx::array experts_of(int step, int rows, int top_k, int count) {
  std::vector<int> ids;
  for (int t = 0; t < rows; t++) {
    for (int k = 0; k < top_k; k++) {
      const int64_t place = static_cast<int64_t>(step) * rows * top_k + (k == 0 ? 0 : t * top_k + k);
      ids.push_back(static_cast<int>(place * 7 % count)); /* 7: neighbours in time are none in memory */
    }
  }
  return mx::array(ids.data(), {rows, top_k}, mx::int32);
}

template <typename Value>
Value Trial::on_stream(const std::function<Value()> &call) {
  try {
    if (!stream) {
      stream = mx::new_stream(mx::default_device());
    }
    mx::StreamContext context(*stream);
    return call();
  } catch (...) {
    stream.reset();
    throw;
  }
}

Choice Trial::compare(const Experts &e, Sizes sizes, const Stock &stock, const std::vector<std::pair<std::string, Stock>> &others) {
  const int rows = sizes.rows, top_k = sizes.top_k, steps = sizes.steps;
  const mx::Dtype type = sizes.type;
  const mx::array x = numbers(rows, e.hidden(), type);
  auto ids = [&](int n) { return experts_of(n, rows, top_k, e.count()); };
  auto result = [&](const Stock &run) {
    const mx::array shares = mx::array(1.0f / static_cast<float>(top_k)) + mx::array(0.01f) * numbers(rows, top_k, mx::float32);
    mx::array y = mx::contiguous(mx::astype(run(x, ids(0), shares), mx::float32));
    y.eval();
    return std::vector<float>(y.data<float>(), y.data<float>() + y.size());
  };
  auto seconds = [&](const Stock &run) {
    const auto start = std::chrono::steady_clock::now();
    const mx::array shares = mx::full({rows, top_k}, 1.0f / static_cast<float>(top_k), mx::float32);
    mx::array y = x;
    for (int n = 0; n < steps; n++) {
      y = x + mx::astype(run(y, ids(n), shares), type) * mx::array(1e-3f, type);
    }
    y.eval();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / steps;
  };
  auto way = [&](const std::string &name, const Stock &run) {
    return Way{name, [&, run] { return on_stream<std::vector<float>>([&] { return result(run); }); },
        [&, run] { return on_stream<double>([&] { return seconds(run); }); }};
  };
  std::vector<Way> ways;
  for (const auto &[name, run] : others) {
    ways.push_back(way(name, run));
  }
  return choose(way("gather_qmm", stock), ways, tolerance(type));
}

} // namespace espalier::decode
