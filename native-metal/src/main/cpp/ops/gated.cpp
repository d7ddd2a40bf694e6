#include "gated.h"

#include <cmath>

namespace espalier {

/** tanh's approximation, as the models have it. */
static array gelu(const array &x) {
  array cube = mx::multiply(x, mx::multiply(x, x));
  array inner = mx::multiply(array(static_cast<float>(std::sqrt(2 / M_PI))), mx::add(x, mx::multiply(array(0.044715f), cube)));
  return mx::multiply(mx::multiply(array(0.5f), x), mx::add(array(1.0f), mx::tanh(inner)));
}

array activate(const unit &u, const array &gate, const array &up) {
  array g = to_float(gate), x = to_float(up);
  switch (u.activation) {
    case 0: return mx::multiply(mx::multiply(g, mx::sigmoid(g)), x);
    case 1: return mx::multiply(gelu(g), x);
    default: {
      array limit(u.limit), one(1.0f);
      g = mx::minimum(g, limit);
      x = mx::maximum(mx::negative(limit), mx::minimum(limit, x));
      return mx::multiply(mx::multiply(g, mx::sigmoid(mx::multiply(array(u.alpha), g))), mx::add(x, one));
    }
  }
}

std::pair<array, array> halves(const array &x) {
  std::vector<array> both = mx::split(x, 2, -1);
  return {both[0], both[1]};
}

static array plus(const array &x, const std::optional<array> &bias) { return bias ? mx::add(x, *bias) : x; }

/** [T, D] by [T, F] to [T, D]. */
void gated_mlp(Step &s, const Node &n) {
  const auto &o = n.read->gated_mlp;
  array x = s.read(o.in);
  mx::Dtype type = activation_type(s.program.read);
  auto [g, u] = n.unit.both ? halves(n.unit.both->product(x)) : std::pair(n.unit.gate->product(x), n.unit.up->product(x));
  array h = mx::astype(activate(o.unit, plus(g, n.unit.gate_bias), plus(u, n.unit.up_bias)), type);
  s.write(o.out, plus(n.unit.down->product(h), n.unit.down_bias));
}

} // namespace espalier
