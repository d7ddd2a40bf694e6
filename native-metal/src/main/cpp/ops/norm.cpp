/* Norms over the last dimension. */
#include "../step.h"

namespace espalier {

/** Over each of G groups of columns. */
void rms_norm(Step &s, const Node &n) {
  const auto &o = n.read->rms_norm;
  array x = wide(s.read(o.in)); /* [T, D] */
  if (n.vector && n.vector->dtype() != x.dtype()) {
    x = to_float(x); /* one plus a small weight, say */
  }
  int width = o.in.width;
  array y = mx::fast::rms_norm(o.groups == 1 ? x : mx::reshape(x, {s.rows, o.groups, width / o.groups}), n.vector, o.eps);
  s.write(o.out, o.groups == 1 ? y : mx::reshape(y, {s.rows, width}));
}

void layer_norm(Step &s, const Node &n) {
  const auto &o = n.read->layer_norm;
  s.write(o.out, mx::fast::layer_norm(to_float(s.read(o.in)), to_float(*n.vector), to_float(*n.second_vector), o.eps));
}

} // namespace espalier
