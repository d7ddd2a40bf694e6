/** Stands for MLX's eval in the engine, by the linker's --wrap. Once told to, it has MLX compute something that throws on the stream's thread, as an op that fails does. */
#include "mlx/backend/cpu/encoder.h"
#include "mlx/primitives.h"

namespace mx = mlx::core;

static bool fails = false;

/** The next evaluation fails. */
extern "C" __attribute__((visibility("default"))) void fail_next() { fails = true; }

class Failing : public mx::UnaryPrimitive {
 public:
  explicit Failing(mx::Stream stream) : mx::UnaryPrimitive(stream) {}
  void eval_cpu(const std::vector<mx::array> &, mx::array &out) override {
    out.set_data(mx::allocator::malloc(out.nbytes()));
    mx::cpu::get_command_encoder(stream()).dispatch([] { throw std::runtime_error("the stand-in's array cannot be computed"); });
  }
  void eval_gpu(const std::vector<mx::array> &, mx::array &) override { throw std::runtime_error("there is no GPU"); }
  const char *name() const override { return "Failing"; }
};

void real(std::vector<mx::array>) asm("__real__ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE");
void wrapped(std::vector<mx::array>) asm("__wrap__ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE");

void wrapped(std::vector<mx::array> outputs) {
  if (fails) {
    fails = false;
    outputs.insert(outputs.begin(), mx::array({1}, mx::float32, std::make_shared<Failing>(mx::default_stream(mx::Device::cpu)), {mx::array(0.0f)}));
  }
  real(std::move(outputs));
}
