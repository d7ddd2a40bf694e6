#include "device.h"

#include <cmath>

namespace espalier {

std::string device_name() {
  std::string name = std::string("MLX ") + mx::version();
  if (!on_gpu()) {
    return name + " on the processor";
  }
  const auto &info = mx::device_info(mx::Device::gpu);
  auto found = info.find("device_name");
  const std::string *text = found == info.end() ? nullptr : std::get_if<std::string>(&found->second);
  return name + " on " + (text ? *text : "the GPU");
}

array exact_vector(const es_program &p, const float *values, mx::Shape shape) {
  array floats(values, shape, mx::float32);
  if (!is_fast(&p) || !on_gpu()) {
    return floats;
  }
  for (size_t i = 0; i < floats.size(); i++) {
    if (static_cast<float>(mx::bfloat16_t(values[i])) != values[i]) {
      return floats;
    }
  }
  return mx::astype(floats, mx::bfloat16);
}

void evaluate(std::vector<array> &&outputs) {
  try {
    mx::eval(std::move(outputs));
  } catch (const std::exception &e) {
    throw Failure(ES_DEVICE_LOST, std::string("MLX failed: ") + e.what());
  }
}

} // namespace espalier
