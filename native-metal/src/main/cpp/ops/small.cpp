/* What is done number by number, in float. */
#include "../step.h"

namespace espalier {

void scale(Step &s, const Node &n) {
  const auto &o = n.read->scale;
  s.write(o.x, mx::multiply(s.read(o.x), array(o.factor)));
}

/** x [T, D] times a function of the gate, [T, D] or [T, 1]. */
void gate(Step &s, const Node &n) {
  const auto &o = n.read->gate;
  array g = to_float(s.read(o.gate)), share = mx::sigmoid(g);
  s.write(o.x, mx::multiply(s.read(o.x), o.silu ? mx::multiply(g, share) : share));
}

void add(Step &s, const Node &n) {
  const auto &o = n.read->add;
  s.write(o.out, mx::add(s.read(o.a), s.read(o.b)));
}

} // namespace espalier
