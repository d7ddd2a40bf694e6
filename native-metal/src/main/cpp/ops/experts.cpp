/* The sum of the experts that each row chose, of those that are held here. T rows of D, K experts each, F wide. */
#include "gated.h"

namespace espalier {

enum { SORTED_FROM = 64 }; /* pairs of row and expert from which they are sorted by expert, so that each one's weights are read once */

/** Places of the matrices [T, K] and weights [T, K], 0 where the expert is not held, or another replica has the row. */
static Choice local(const Step &s, const Node &n, const Choice &choice) {
  array ids = mx::maximum(choice.experts, array(0));
  auto of_table = [&](int row) { return mx::take(mx::take(*n.indices, row, 0), ids); };
  array place = of_table(0);
  array turn = mx::add(array(s.positions.begin(), {s.rows, 1}, mx::int32), array(n.read->experts.layer));
  array mine = mx::equal(mx::remainder(turn, of_table(2)), of_table(1));
  array held = mx::logical_and(mx::logical_and(mx::greater_equal(place, array(0)), mine), mx::greater_equal(choice.experts, array(0)));
  /* instead of another's expert one of this row's own is computed, whose weights are read anyway */
  array own = mx::maximum(mx::max(mx::where(held, place, array(-1)), 1, true), array(0));
  return {mx::where(held, place, own), mx::where(held, choice.weights, array(0.0f))};
}

/** [..., F] plus the bias of each one's expert. */
static array plus(const array &x, const std::optional<array> &bias, const array &ids) {
  if (!bias) {
    return x;
  }
  array all = bias->ndim() == 1 ? mx::expand_dims(*bias, 0) : *bias;
  return mx::add(x, mx::expand_dims(mx::take(all, ids, 0), -2));
}

/** Each row of x by its experts: [R, 1, 1, D] and ids [R, K] to [R, K, 1, D], or [R, 1, D] and [R] to [R, 1, D]. */
static array computed(const Step &s, const Node &n, const array &x, const array &ids, bool sorted) {
  const Unit &u = n.unit;
  auto [gate, up] = u.both ? halves(u.both->gathered(x, ids, sorted)) : std::pair(u.gate->gathered(x, ids, sorted), u.up->gathered(x, ids, sorted));
  array h = activate(n.read->experts.unit, plus(gate, u.gate_bias, ids), plus(up, u.up_bias, ids));
  return plus(u.down->gathered(mx::astype(h, activation_type(s.program.read)), ids, sorted), u.down_bias, ids);
}

void experts(Step &s, const Node &n) {
  const auto &o = n.read->experts;
  array x = s.read(o.in);
  Choice here = local(s, n, s.choices.back());
  int top_k = here.experts.shape(1), pairs = s.rows * top_k;
  array y = array(0.0f);
  if (pairs >= SORTED_FROM) {
    array flat = mx::flatten(here.experts), order = mx::argsort(flat);
    array rows = mx::take(mx::expand_dims(x, 1), mx::floor_divide(order, array(top_k, mx::uint32)), 0);
    y = mx::take(computed(s, n, rows, mx::take(flat, order), true), mx::argsort(order), 0);
    y = mx::reshape(y, {s.rows, top_k, o.out.width});
  } else {
    y = mx::squeeze(computed(s, n, mx::expand_dims(x, {1, 2}), here.experts, false), 2);
  }
  s.write(o.out, mx::sum(mx::multiply(to_float(y), mx::expand_dims(here.weights, -1)), 1));
}

} // namespace espalier
