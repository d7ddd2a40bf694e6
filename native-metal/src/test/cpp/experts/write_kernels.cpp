/** `write_kernels DIR`: the kernels as MLX would give them to the compilers of Metal and CUDA, a file for each of some steps. */
#include "experts/choice.cpp"
#include "experts/decode.cpp"
#include "experts/dialect.cpp"
#include "experts/trial.cpp"

#include <fstream>

#include "mlx/export.h"
#include "mlx/fast_primitives.h"

namespace espalier::decode {

/** As MLX's CUDA backend writes a kernel; what it calls the types is in `cuda_type`. */
static std::string cuda_type(mx::Dtype type) {
  return type == mx::bfloat16 ? "__nv_bfloat16" : type == mx::float16 ? "__half" : type == mx::float32 ? "float" : type == mx::uint32 ? "uint32_t"
         : type == mx::int32  ? "int32_t" : "uint8_t";
}

/** Notes what it is asked to run. */
struct CudaText {
  std::string name, body, output;
  std::vector<std::string> names;
  std::string *written;

  std::vector<mx::array> operator()(const std::vector<mx::array> &inputs, const std::vector<mx::Shape> &shapes, const std::vector<mx::Dtype> &types,
      std::tuple<int, int, int>, std::tuple<int, int, int>, const std::vector<std::pair<std::string, mx::fast::TemplateArg>> &arguments,
      std::optional<float>, bool, mx::StreamOrDevice) const {
    std::string text = "namespace mlx::core::cu {\n\nnamespace cg = cooperative_groups;\n\n__global__ void " + name + "(\n";
    for (size_t i = 0; i < inputs.size(); i++) {
      text += "    const " + cuda_type(inputs[i].dtype()) + "* " + names[i] + ",\n";
    }
    text += "    " + cuda_type(types[0]) + "* " + output + ") {\n";
    for (const auto &[key, value] : arguments) {
      text += std::holds_alternative<int>(value)    ? "  constexpr int " + key + " = " + std::to_string(std::get<int>(value)) + ";\n"
              : std::holds_alternative<bool>(value) ? "  constexpr bool " + key + " = " + (std::get<bool>(value) ? "true" : "false") + ";\n"
                                                    : "  using " + key + " = " + cuda_type(std::get<mx::Dtype>(value)) + ";\n";
    }
    *written += text + body + "\n}\n\n} // namespace mlx::core::cu\n";
    return {mx::zeros(shapes[0], types[0])};
  }
};

struct Written {
  std::string name, mode;
  int bits, group, rows, top_k;
  mx::Dtype type, scales;
  bool biased, stacked;
  int activation;
  Tiling tiling;
};

static Experts empty_experts(const Written &w, int count, int hidden, int width) {
  auto matrices = [&](int rows, int columns, int bias) {
    Matrices m{w.mode, w.bits, w.group, mx::zeros({count, rows, columns / 32 * w.bits}, mx::uint32), mx::zeros({count, rows, columns / w.group}, w.scales),
        std::nullopt, std::nullopt};
    if (w.mode == "affine") {
      m.biases = m.scales;
    }
    if (w.biased) {
      m.bias = mx::zeros({count, bias}, w.type);
    }
    return m;
  };
  const Matrices gate = matrices(w.stacked ? 2 * width : width, hidden, width);
  return {gate, gate, matrices(hidden, width, hidden), w.stacked, w.activation, 1.702f, 7.0f};
}

/** DIR/NAME.metal is MLX's own text, which it writes without a GPU while a trace is exported. */
static void write_kernels(const std::string &directory) {
  const Written all[] = {
      {"affine-4-bfloat16", "affine", 4, 64, 1, 8, mx::bfloat16, mx::bfloat16, false, true, 0, {1, 4}},
      {"affine-4-few", "affine", 4, 64, 1, 4, mx::bfloat16, mx::bfloat16, false, false, 1, {2, 2}}, /* ids in `constant` */
      {"affine-8-float16", "affine", 8, 128, 4, 2, mx::float16, mx::float16, true, false, 1, {4, 1}},
      {"affine-4-float32", "affine", 4, 32, 3, 6, mx::float32, mx::bfloat16, false, true, 0, {4, 1}},
      {"mxfp4-bfloat16", "mxfp4", 4, 32, 2, 4, mx::bfloat16, mx::uint8, true, true, 2, {2, 2}},
      {"mxfp4-float32", "mxfp4", 4, 32, 4, 4, mx::float32, mx::uint8, true, false, 2, {1, 4}},
  };
  for (const Written &w : all) {
    const Experts experts = empty_experts(w, 2, 256, 128);
    auto call = [&](const Kernels &kernels) {
      return kernels(experts, w.tiling, mx::zeros({w.rows, 256}, w.type), mx::zeros({w.rows, w.top_k}, mx::int32), mx::zeros({w.rows, w.top_k}, mx::float32));
    };
    auto write = [&](const mx::Args &) -> std::vector<mx::array> {
      const mx::array out = call(Kernels(gate_up_kernel(Dialect::METAL), down_sum_kernel(Dialect::METAL)));
      auto text = [](const mx::array &of) { return std::get<1>(static_cast<const mx::fast::CustomKernel &>(of.primitive()).state()); };
      std::ofstream(directory + "/" + w.name + "-gate_up.metal") << text(out.inputs()[0]);
      std::ofstream(directory + "/" + w.name + "-down_sum.metal") << text(out);
      return {out};
    };
    mx::export_function(mx::ExportCallback([](const auto &) {}), write, mx::Args{mx::zeros({1})});
    std::string text = header(Dialect::CUDA);
    call(Kernels(CudaText{"gate_up", gate_up_body(Dialect::CUDA), "hidden", GATE_UP_INPUTS, &text},
        CudaText{"down_sum", down_sum_body(Dialect::CUDA), "out", DOWN_SUM_INPUTS, &text}));
    std::ofstream(directory + "/" + w.name + ".cu") << text;
  }
}

} // namespace espalier::decode

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "write_kernels: expected a folder\n");
    return 2;
  }
  mlx::core::set_default_device(mlx::core::Device::cpu);
  espalier::decode::write_kernels(arguments[1]);
  return 0;
}
