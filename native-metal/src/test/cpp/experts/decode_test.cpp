/** What the engine calls, with emulated kernels in place of a GPU's, against MLX's own ops on the processor. */
#include "experts/choice.cpp"
#include "experts/decode.cpp"
#include "experts/dialect.cpp"
#include "experts/trial.cpp"

#include "check.h"

using namespace espalier::decode;
using namespace emulated;
using Arguments = std::vector<std::pair<std::string, mx::fast::TemplateArg>>;

static int failed = 0;

static void expect(bool right, const std::string &what, const std::string &found = "") {
  printf("%s: %s\n", what.c_str(), right ? "as expected" : found.empty() ? "NOT SO" : found.c_str());
  failed += !right;
}

static int number_of(const Arguments &all, const char *name) {
  for (const auto &[key, value] : all) {
    if (key == name) {
      return std::holds_alternative<bool>(value) ? std::get<bool>(value) : std::get<int>(value);
    }
  }
  throw std::runtime_error(std::string("no template argument ") + name);
}

template <typename V>
static Pointer<const V> pointer(mx::array array, const std::string &name) {
  array.eval();
  if (!array.flags().row_contiguous || array.itemsize() != sizeof(V)) {
    throw std::runtime_error(name + " is not what the kernel reads");
  }
  return {reinterpret_cast<const V *>(array.data<char>()), int64_t(array.size()), name.c_str()};
}

/** The shape that a call asks for, which has to be S but for its tiling; the kernel by its tiling. */
template <typename S, template <typename> class Kernel>
static auto emulated_kernel(const std::vector<std::string> &names) {
  return [&names](const std::vector<mx::array> &inputs, const std::vector<mx::Shape> &shapes, const std::vector<mx::Dtype> &types,
             std::tuple<int, int, int> grid, std::tuple<int, int, int> group, const Arguments &arguments, std::optional<float>, bool, mx::StreamOrDevice) {
    const std::pair<const char *, int> fixed[] = {{"T", S::T}, {"K", S::K}, {"D", S::D}, {"F", S::F}, {"FORMAT", S::FORMAT}, {"BITS", S::BITS},
        {"GROUP", S::GROUP}, {"BIASED", S::BIASED}};
    for (const auto &[name, value] : fixed) {
      if (number_of(arguments, name) != value) {
        throw std::runtime_error(std::string(name) + " is " + std::to_string(number_of(arguments, name)) + ", expected " + std::to_string(value));
      }
    }
    mx::array out = mx::contiguous(mx::full(shapes[0], NAN, types[0]));
    out.eval();
    Pointer<typename S::X> values = {reinterpret_cast<typename S::X *>(out.data<char>()), int64_t(out.size()), "out"};
    const int rows = number_of(arguments, "ROWS"), words = number_of(arguments, "WORDS");
    if (std::get<0>(grid) != 32 || std::get<0>(group) != 32) {
      throw std::runtime_error("a row of threads is no simdgroup");
    }
    for (int pair = 0; pair < std::get<2>(grid); pair++) {
      for (int block = 0; block < std::get<1>(grid); block++) {
        if (rows == 1 && words == 4) {
          Kernel<Tiled<S, 1, 4>>::run(inputs, names, values, block, pair);
        } else if (rows == 2 && words == 2) {
          Kernel<Tiled<S, 2, 2>>::run(inputs, names, values, block, pair);
        } else if (rows == 4 && words == 1) {
          Kernel<Tiled<S, 4, 1>>::run(inputs, names, values, block, pair);
        } else {
          throw std::runtime_error("no such tiling");
        }
      }
    }
    return std::vector<mx::array>{out};
  };
}

template <typename S>
static emulated::Matrices<S> matrices(const std::vector<mx::array> &in, const std::vector<std::string> &names, size_t words, size_t scales, size_t biases, size_t bias) {
  auto named = [&]<typename V>(size_t at, V) { return pointer<V>(in[at], names[at]); };
  return {named(words, uint32_t()), named(scales, typename S::Scale()), named(biases, typename S::Scale()),
      S::BIASED ? named(bias, typename S::X()) : Pointer<const typename S::X>(nullptr, 0, "bias")};
}

template <typename S>
struct GateUp {
  static void run(const std::vector<mx::array> &in, const std::vector<std::string> &names, Pointer<typename S::X> hidden, int block, int pair) {
    const Pointer<const float> limits = pointer<float>(in[10], "limits");
    if (limits[0] != LIMITS[0] || limits[1] != LIMITS[1]) {
      throw std::runtime_error("other limits");
    }
    gate_up<S>(pointer<typename S::X>(in[0], "x"), pointer<int>(in[1], "ids"), matrices<S>(in, names, 2, 3, 4, 8), matrices<S>(in, names, 5, 6, 7, 9),
        hidden, block, pair);
  }
};

template <typename S>
struct DownSum {
  static void run(const std::vector<mx::array> &in, const std::vector<std::string> &names, Pointer<typename S::X> out, int block, int) {
    down_sum<S>(pointer<typename S::X>(in[0], "hidden"), pointer<int>(in[1], "ids"), pointer<float>(in[2], "weights"), matrices<S>(in, names, 3, 4, 5, 6),
        out, block);
  }
};

template <typename S>
static Kernels emulated_kernels() {
  return Kernels(emulated_kernel<S, GateUp>(GATE_UP_INPUTS), emulated_kernel<S, DownSum>(DOWN_SUM_INPUTS));
}

template <typename X>
static mx::Dtype type_of() {
  return std::is_same_v<X, BFloat> ? mx::bfloat16 : std::is_same_v<X, Half> ? mx::float16 : std::is_same_v<X, uint8_t> ? mx::uint8 : mx::float32;
}

static mx::array random(int seed, mx::Shape shape, float scale, mx::Dtype type) {
  int size = 1;
  for (int n : shape) {
    size *= n;
  }
  Random numbers{uint64_t(seed)};
  std::vector<float> values(size_t(size), 0.0f);
  std::generate(values.begin(), values.end(), [&] { return numbers.between(-scale, scale); });
  mx::array array = mx::astype(mx::array(values.data(), shape, mx::float32), type);
  array.eval();
  return array;
}

/** Quantized by MLX itself. */
template <typename S>
static espalier::decode::Matrices quantized(int seed, int experts, int rows, int columns, int bias_rows) {
  const std::string mode = S::FORMAT == espalier::MXFP4 ? "mxfp4" : "affine";
  const mx::array whole = random(seed, {experts, rows, columns}, 0.5f, type_of<std::conditional_t<S::FORMAT == espalier::MXFP4, float, typename S::Scale>>());
  std::vector<mx::array> parts = mx::quantize(whole, S::GROUP, S::BITS, mode);
  mx::eval(parts);
  espalier::decode::Matrices m{mode, S::BITS, S::GROUP, parts[0], parts[1], std::nullopt, std::nullopt};
  if (parts.size() > 2) {
    m.biases = parts[2];
  }
  if (S::BIASED) {
    m.bias = random(seed + 1, {experts, bias_rows}, 1.0f, type_of<typename S::X>());
  }
  return m;
}

template <typename S>
static Experts random_experts(int count) {
  auto gate = quantized<S>(1, count, S::STRIDE, S::D, S::F), up = S::STACKED ? gate : quantized<S>(3, count, S::F, S::D, S::F);
  if (S::STACKED && S::BIASED) {
    up.bias = random(5, {count, S::F}, 1.0f, type_of<typename S::X>());
  }
  return {gate, up, quantized<S>(7, count, S::D, S::F, S::D), S::STACKED, S::ACTIVATION, LIMITS[0], LIMITS[1]};
}

static mx::array plus(const mx::array &x, const std::optional<mx::array> &bias, const mx::array &ids) {
  return bias ? x + mx::expand_dims(mx::take(*bias, ids, 0), -2) : x;
}

/** As engines without kernels of their own do it, in float. */
static mx::array by_gather(const Experts &e, const mx::array &x, const mx::array &ids, const mx::array &weights) {
  auto gathered = [&](const espalier::decode::Matrices &m, const mx::array &rows) {
    std::optional<mx::array> biases = m.biases ? std::optional(mx::astype(*m.biases, mx::float32)) : std::nullopt;
    const mx::array scales = m.biases ? mx::astype(m.scales, mx::float32) : m.scales;
    return mx::gather_qmm(rows, m.words, scales, biases, std::nullopt, ids, true, m.group, m.bits, m.mode);
  };
  const mx::array rows = mx::expand_dims(mx::astype(x, mx::float32), {1, 2});
  mx::array gate = gathered(e.gate, rows), up = gathered(e.up, rows);
  if (e.stacked) {
    const std::vector<mx::array> halves = mx::split(gate, 2, -1);
    gate = halves[0];
    up = halves[1];
  }
  gate = plus(gate, e.gate.bias, ids);
  up = plus(up, e.up.bias, ids);
  const mx::array alpha(e.alpha), limit(e.limit), one(1.0f);
  mx::array h = gate * mx::sigmoid(gate) * up;
  if (e.activation == espalier::CLAMPED_SWIGLU) {
    gate = mx::minimum(gate, limit);
    h = gate * mx::sigmoid(alpha * gate) * (mx::maximum(-limit, mx::minimum(limit, up)) + one);
  }
  const mx::array y = mx::squeeze(plus(gathered(e.down, mx::astype(mx::astype(h, x.dtype()), mx::float32)), e.down.bias, ids), 2);
  return mx::astype(mx::sum(y * mx::expand_dims(weights, -1), 1), x.dtype());
}

/** Of a call as the engine makes it. */
template <typename S>
static double difference_of(const Experts &e, const mx::array &got, const mx::array &x, const mx::array &ids, const mx::array &weights) {
  const mx::array held = mx::maximum(ids, mx::array(0)), shares = mx::where(ids >= mx::array(0), weights, mx::array(0.0f));
  const mx::array right = mx::astype(by_gather(e, x, held, shares), mx::float32), mine = mx::astype(got, mx::float32);
  return mx::sqrt(mx::sum(mx::square(mine - right)) / mx::sum(mx::square(right))).item<float>();
}

template <typename S>
static void launched(const std::string &name, std::vector<int> places) {
  const Experts e = random_experts<S>(5);
  const mx::array x = random(11, {S::T, S::D}, 1.0f, type_of<typename S::X>()), ids(places.data(), {S::T, S::K}, mx::int32);
  const mx::array weights = mx::abs(random(12, {S::T, S::K}, 1.0f, mx::float32));
  const Kernels kernels = emulated_kernels<S>();
  for (const Tiling tiling : TILINGS) {
    const double d = difference_of<S>(e, kernels(e, tiling, x, ids, weights), x, ids, weights);
    expect(d < tolerance(x.dtype()) / 3, name + ", " + std::to_string(tiling.rows) + " rows", "differs from gather_qmm by " + std::to_string(d));
  }
}

template <typename S>
static void decided() {
  const Experts e = random_experts<S>(7);
  const Stock stock = [&](const mx::array &x, const mx::array &ids, const mx::array &weights) { return by_gather(e, x, ids, weights); };
  const mx::array x = random(21, {S::T, S::D}, 1.0f, type_of<typename S::X>()), weights = mx::abs(random(22, {S::T, S::K}, 1.0f, mx::float32));
  const mx::array ids = experts_of(3, S::T, S::K, 7);
  auto decide = [&](Decode &decode) { return decode(e, stock, x, ids, weights); };
  auto spoiled = [&](mx::fast::CustomKernelFunction down) { return Decode(Kernels(emulated_kernel<S, GateUp>(GATE_UP_INPUTS), down)); };

  Decode right(emulated_kernels<S>());
  const std::optional<mx::array> once = decide(right), twice = decide(right);
  expect(once.has_value() == twice.has_value() && right.report().find("\n") == right.report().size() - 1, "decided once for a shape", right.report());
  expect(right.report().find("is right") == std::string::npos && right.report().find("differs") == std::string::npos, "none differs", right.report());
  expect(right.report().find("kernels of 4 rows and 1 words") != std::string::npos, "the report names the kernels", right.report());

  auto down = emulated_kernel<S, DownSum>(DOWN_SUM_INPUTS);
  Decode wrong = spoiled([=](auto &&...call) {
    std::vector<mx::array> out = down(call...);
    return std::vector<mx::array>{out[0] * mx::array(1.1f, out[0].dtype())};
  });
  expect(!decide(wrong) && wrong.report().find("gather_qmm taken, since nothing else is right") != std::string::npos, "wrong kernels are not taken",
      wrong.report());

  Decode throwing = spoiled([](auto &&...) -> std::vector<mx::array> { throw std::runtime_error("error: no matching function"); });
  expect(!decide(throwing) && throwing.report().find("failed: error: no matching function") != std::string::npos, "kernels that throw are not taken",
      throwing.report());
  expect(difference_of<S>(e, stock(x, ids, weights), x, ids, weights) == 0, "after that gather_qmm still computes");

  Experts six = e;
  six.gate.bits = six.up.bits = 6;
  Decode refuses(emulated_kernels<S>());
  expect(!refuses(six, stock, x, ids, weights) && refuses.report().find("gather_qmm taken: gate is affine with 6 bits in groups of") != std::string::npos,
      "other formats are refused", refuses.report());
  expect(!right(e, stock, mx::repeat(x, 5, 0), mx::repeat(ids, 5, 0), mx::repeat(weights, 5, 0)), "more than four rows are not for them");

  Decode here;
  expect(!decide(here), "a processor has no kernels");
  expect(here.report() == "experts by gather_qmm: kernels of our own are for Metal and CUDA, and this device is neither\n", "it says so", here.report());
}

int main() {
  try {
    mx::set_default_device(mx::Device::cpu);
    using espalier::AFFINE;
    launched<Shape<BFloat, BFloat, 1, 2, 192, 128, AFFINE, 4, 64, false, espalier::SILU, false, 1, 1>>("affine 4 bits, apart", {4, 1});
    launched<Shape<float, float, 2, 2, 96, 64, AFFINE, 8, 32, true, espalier::CLAMPED_SWIGLU, true, 1, 1>>("affine 8 bits, biases, one matrix", {4, -1, 3, 4});
    launched<Shape<float, uint8_t, 2, 2, 64, 96, espalier::MXFP4, 4, 32, true, espalier::CLAMPED_SWIGLU, true, 1, 1>>("mxfp4, biases, one matrix", {2, 2, -1, 0});
    decided<Shape<float, float, 2, 2, 64, 32, AFFINE, 4, 32, false, espalier::SILU, true, 1, 1>>();
  } catch (const std::exception &error) {
    printf("%s\n", error.what());
    return 1;
  }
  return failed ? 1 : 0;
}
