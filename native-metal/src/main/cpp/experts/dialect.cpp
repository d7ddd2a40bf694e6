#include "dialect.h"

#include <cstdint>
#include <cstdio>

#include "mlx/backend/cuda/cuda.h"
#include "mlx/backend/metal/metal.h"

namespace espalier::decode {

static const char *const KERNELS =
#include "kernels.text.h"
    ;
static const char *const METAL =
#include "metal.text.h"
    ;
static const char *const CUDA =
#include "cuda.text.h"
    ;
static const char *const GATE_UP =
#include "gate_up.text.h"
    ;
static const char *const DOWN_SUM =
#include "down_sum.text.h"
    ;

/* MLX looks for the names of Metal's attributes in the body. */
static const char *const METAL_INDICES = R"(
  const int lane = int(thread_position_in_threadgroup.x);
  const int block = int(thread_position_in_grid.y);
)";
static const char *const METAL_PAIR = "  const int pair = int(thread_position_in_grid.z);\n";
static const char *const CUDA_INDICES = R"(
  const int lane = int(threadIdx.x);
  const int block = int(blockIdx.y * blockDim.y + threadIdx.y);
)";
static const char *const CUDA_PAIR = "  const int pair = int(blockIdx.z);\n";

const std::vector<std::string> GATE_UP_INPUTS = {
    "x", "ids", "gate", "gate_scales", "gate_biases", "up", "up_scales", "up_biases", "gate_bias", "up_bias", "limits"};
const std::vector<std::string> DOWN_SUM_INPUTS = {"hidden", "ids", "weights", "down", "down_scales", "down_biases", "down_bias"};

std::optional<Dialect> dialect_here() {
  if (mx::default_device() != mx::Device::gpu) {
    return std::nullopt;
  }
  return mx::metal::is_available() ? std::optional(Dialect::METAL) : mx::cu::is_available() ? std::optional(Dialect::CUDA) : std::nullopt;
}

std::string header(Dialect dialect) { return std::string(dialect == Dialect::METAL ? METAL : CUDA) + KERNELS; }

std::string gate_up_body(Dialect dialect) {
  return dialect == Dialect::METAL ? std::string(METAL_INDICES) + METAL_PAIR + GATE_UP : std::string(CUDA_INDICES) + CUDA_PAIR + GATE_UP;
}

std::string down_sum_body(Dialect dialect) { return std::string(dialect == Dialect::METAL ? METAL_INDICES : CUDA_INDICES) + DOWN_SUM; }

/** Of a kernel's text (FNV-1a): MLX keeps compiled CUDA kernels on disk under their names only. */
static std::string with_hash(const std::string &name, const std::string &text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  char digits[17];
  snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return name + "_" + digits;
}

static mx::fast::CustomKernelFunction kernel(
    Dialect dialect, const std::string &name, const std::vector<std::string> &inputs, const std::string &output, const std::string &body) {
  const std::string before = header(dialect), unique = with_hash(name, before + body);
  return dialect == Dialect::METAL ? mx::fast::metal_kernel(unique, inputs, {output}, body, before)
                                   : mx::fast::cuda_kernel(unique, inputs, {output}, body, before);
}

mx::fast::CustomKernelFunction gate_up_kernel(Dialect dialect) {
  return kernel(dialect, "espalier_gate_up", GATE_UP_INPUTS, "hidden", gate_up_body(dialect));
}

mx::fast::CustomKernelFunction down_sum_kernel(Dialect dialect) {
  return kernel(dialect, "espalier_down_sum", DOWN_SUM_INPUTS, "out", down_sum_body(dialect));
}

} // namespace espalier::decode
