/**
 * Stands for what the engine calls of MLX, by the linker's --wrap, and fails once when it is told to: at once, or as an op that fails does, on the stream's
 * thread.
 */
#include <chrono>
#include <thread>

#include "mlx/backend/cpu/encoder.h"
#include "mlx/ops.h"
#include "mlx/primitives.h"
#include "mlx/transforms.h"

namespace mx = mlx::core;
using mx::array;

enum Failure { NONE, COMPUTED, BEGUN_AT_ONCE, BEGUN, KEPT, BUILT, ALLOCATED };

static Failure next = NONE;
static int before = 0;

/**
 * The next evaluation, beginning of one, op that a step ends with, or allocation fails, once `others` of its kind have not. KEPT is an error that the stream
 * has but eval does not throw.
 */
extern "C" __attribute__((visibility("default"))) void fail_after(int others, int how) {
  next = static_cast<Failure>(how);
  before = others;
}

static bool fails(Failure here) {
  if (next != here || before-- > 0) {
    return false;
  }
  next = NONE;
  return true;
}

[[noreturn]] static void fail() { throw std::runtime_error("the stand-in's array cannot be computed"); }

class Failing : public mx::UnaryPrimitive {
 public:
  explicit Failing(mx::Stream stream) : mx::UnaryPrimitive(stream) {}
  void eval_cpu(const std::vector<array> &, array &out) override {
    out.set_data(mx::allocator::malloc(out.nbytes()));
    mx::cpu::get_command_encoder(stream()).dispatch(fail);
  }
  void eval_gpu(const std::vector<array> &, array &) override { throw std::runtime_error("there is no GPU"); }
  const char *name() const override { return "Failing"; }
};

static std::vector<array> with_failing(std::vector<array> outputs) {
  outputs.insert(outputs.begin(), array({1}, mx::float32, std::make_shared<Failing>(mx::default_stream(mx::Device::cpu)), {array(0.0f)}));
  return outputs;
}

#define EVAL "_ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE"
#define ASYNC_EVAL "_ZN3mlx4core10async_evalESt6vectorINS0_5arrayESaIS2_EE"
#define NEW "_Znwm"
#define CUDA_IS_AVAILABLE "_ZN3mlx4core2cu12is_availableEv"
#define GATHER_QMM "_ZN3mlx4core10gather_qmmERKNS0_5arrayES3_S3_RKSt8optionalIS1_ES5_S5_bS4_IiES8_RKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEES7_bSt7variantIJSt9monostateNS0_6StreamENS0_17ThreadLocalStreamENS0_6DeviceENSL_10DeviceTypeEEE"
#define CONTIGUOUS \
  "_ZN3mlx4core10contiguousERKNS0_5arrayEbSt7variantIJSt9monostateNS0_6StreamENS0_17ThreadLocalStreamENS0_6DeviceENS8_10DeviceTypeEEE"

void *real_new(size_t) asm("__real_" NEW);
void *wrapped_new(size_t) asm("__wrap_" NEW);
void real_eval(std::vector<array>) asm("__real_" EVAL);
void wrapped_eval(std::vector<array>) asm("__wrap_" EVAL);
void real_async_eval(std::vector<array>) asm("__real_" ASYNC_EVAL);
void wrapped_async_eval(std::vector<array>) asm("__wrap_" ASYNC_EVAL);
array real_contiguous(const array &, bool, mx::StreamOrDevice) asm("__real_" CONTIGUOUS);
array wrapped_contiguous(const array &, bool, mx::StreamOrDevice) asm("__wrap_" CONTIGUOUS);

bool real_cuda_is_available() asm("__real_" CUDA_IS_AVAILABLE);
bool wrapped_cuda_is_available() asm("__wrap_" CUDA_IS_AVAILABLE);
array real_gather_qmm(const array &, const array &, const array &, const std::optional<array> &, std::optional<array>, std::optional<array>, bool,
    std::optional<int>, std::optional<int>, const std::string &, const std::optional<array> &, bool, mx::StreamOrDevice) asm("__real_" GATHER_QMM);
array wrapped_gather_qmm(const array &, const array &, const array &, const std::optional<array> &, std::optional<array>, std::optional<array>, bool,
    std::optional<int>, std::optional<int>, const std::string &, const std::optional<array> &, bool, mx::StreamOrDevice) asm("__wrap_" GATHER_QMM);

static bool cuda = false;

/** From now on MLX says that it is CUDA's, and its gather_qmm is as slow as it is there. */
extern "C" __attribute__((visibility("default"))) void seem_cuda(int seems) { cuda = seems != 0; }

bool wrapped_cuda_is_available() { return cuda || real_cuda_is_available(); }

array wrapped_gather_qmm(const array &x, const array &w, const array &scales, const std::optional<array> &biases, std::optional<array> rows,
    std::optional<array> ids, bool transposed, std::optional<int> group, std::optional<int> bits, const std::string &mode,
    const std::optional<array> &global, bool sorted, mx::StreamOrDevice where) {
  if (cuda) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return real_gather_qmm(x, w, scales, biases, rows, ids, transposed, group, bits, mode, global, sorted, where);
}

void wrapped_eval(std::vector<array> outputs) {
  real_eval(fails(COMPUTED) ? with_failing(std::move(outputs)) : std::move(outputs));
  if (fails(KEPT)) {
    mx::cpu::get_command_encoder(mx::default_stream(mx::Device::cpu)).dispatch(fail);
  }
}

void wrapped_async_eval(std::vector<array> outputs) {
  if (fails(BEGUN_AT_ONCE)) {
    fail();
  }
  real_async_eval(fails(BEGUN) ? with_failing(std::move(outputs)) : std::move(outputs));
}

array wrapped_contiguous(const array &x, bool column_major, mx::StreamOrDevice where) {
  if (fails(BUILT)) {
    fail();
  }
  return real_contiguous(x, column_major, where);
}

void *wrapped_new(size_t bytes) {
  if (fails(ALLOCATED)) {
    throw std::bad_alloc();
  }
  return real_new(bytes);
}
