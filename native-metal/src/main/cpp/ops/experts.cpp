/* The sum of the experts that each row chose, of those that are held here. T rows of D, K experts each, F wide. */
#include "gated.h"

namespace espalier {

enum { SORTED_FROM = 64 }; /* pairs of row and expert from which they are sorted by expert, so that each one's weights are read once */

/** Places of the matrices [T, K], -1 where the expert is not held, or another replica has the row; and weights [T, K], there 0. */
static Choice local(const Step &s, const Node &n, const Choice &choice) {
  array ids = mx::maximum(choice.experts, array(0));
  auto of_table = [&](int row) { return mx::take(mx::take(*n.indices, row, 0), ids); };
  array turn = mx::add(array(s.positions.begin(), {s.rows, 1}, mx::int32), array(n.read->experts.layer));
  array mine = mx::equal(mx::remainder(turn, of_table(2)), of_table(1));
  array place = mx::where(mx::logical_and(mine, mx::greater_equal(choice.experts, array(0))), of_table(0), array(-1));
  return {place, mx::where(mx::greater_equal(place, array(0)), choice.weights, array(0.0f))};
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

/** Instead of another's expert one of the row's own is computed, whose weights are read anyway; its weight is 0. */
static array own_instead(const array &places) {
  return mx::where(mx::less(places, array(0)), mx::maximum(mx::max(places, 1, true), array(0)), places);
}

/** [T, K, D], by pairs of row and expert in the order of experts. */
static array sorted_by_expert(const Step &s, const Node &n, const array &x, const array &places) {
  int top_k = places.shape(1);
  array flat = mx::flatten(places), order = mx::argsort(flat);
  array rows = mx::take(mx::expand_dims(x, 1), mx::floor_divide(order, array(top_k, mx::uint32)), 0);
  array y = mx::take(computed(s, n, rows, mx::take(flat, order), true), mx::argsort(order), 0);
  return mx::reshape(y, {places.shape(0), top_k, n.read->experts.out.width});
}

/**
 * The same where other nodes hold most of the experts: which pairs are held is looked at here, and no others are computed. Such layers end in an exchange,
 * for which the graph is cut anyway.
 */
static array only_held(Step &s, const Node &n, const array &x, const array &places) {
  array found = mx::contiguous(places);
  s.evaluate_now({found, x});
  int top_k = places.shape(1), width = n.read->experts.out.width;
  decode::HeldPairs held = decode::held_pairs(found);
  if (held.count() == 0) {
    return mx::zeros({s.rows, top_k, width});
  }
  auto indices = [](const std::vector<int32_t> &all) { return array(all.begin(), {static_cast<int>(all.size())}, mx::int32); };
  array y = mx::squeeze(computed(s, n, mx::expand_dims(mx::take(x, indices(held.rows), 0), 1), indices(held.experts), true), 1);
  y = mx::concatenate({y, mx::zeros({1, width}, y.dtype())}, 0); /* for those that are not held */
  return mx::reshape(mx::take(y, indices(held.at), 0), {s.rows, top_k, width});
}

/** As our own kernels read them; nothing where they are not packed. */
static std::optional<decode::Experts> packed(const Node &n) {
  const Unit &u = n.unit;
  const Operand &gate = u.both ? *u.both : *u.gate, &up = u.both ? *u.both : *u.up;
  for (const Operand *o : {&gate, &up, u.down}) {
    if (o->kind.mode.empty() || o->transposed || o->count == 1) {
      return std::nullopt;
    }
  }
  auto matrices = [](const Operand &o, std::optional<array> bias) {
    if (bias) {
      evaluate({*bias}); /* once: what follows shares it */
    }
    return decode::Matrices{o.kind.mode, o.kind.bits, o.kind.group, o.values, *o.scales, o.biases, bias};
  };
  const unit &read = n.read->experts.unit;
  return decode::Experts{matrices(gate, u.gate_bias), matrices(up, u.up_bias), matrices(*u.down, u.down_bias), u.both != nullptr, read.activation,
      read.alpha, read.limit};
}

/** [T, D] by our own kernels, where they were chosen. */
static std::optional<array> by_kernels(Step &s, const Node &n, const array &x, const Choice &here) {
  std::optional<decode::Experts> own = s.program.decode.takes(s.rows) ? packed(n) : std::nullopt;
  if (!own) {
    return std::nullopt;
  }
  auto stock = [&](const array &rows, const array &places, const array &weights) {
    array y = mx::squeeze(computed(s, n, mx::expand_dims(rows, {1, 2}), places, false), 2);
    return mx::sum(mx::multiply(to_float(y), mx::expand_dims(weights, -1)), 1);
  };
  return s.program.decode(*own, stock, x, here.experts, here.weights);
}

/** [T, D] by a product for each expert, where that was chosen. */
static std::optional<array> by_groups(Step &s, const Node &n, const array &x, const Choice &here) {
  bool asked = s.program.grouped.takes(static_cast<int>(here.experts.size()));
  std::optional<decode::Experts> own = asked ? packed(n) : std::nullopt;
  if (!own) {
    return std::nullopt;
  }
  auto stock = [&](const array &rows, const array &places, const array &weights) {
    return mx::sum(mx::multiply(to_float(sorted_by_expert(s, n, rows, places)), mx::expand_dims(weights, -1)), 1);
  };
  decode::Hooks hooks{
      [&](const array &gate, const array &up) { return mx::astype(activate(n.read->experts.unit, gate, up), activation_type(s.program.read)); },
      [&](std::vector<array> values) { s.evaluate_now(std::move(values)); }};
  return s.program.grouped(*own, hooks, stock, x, here.experts, here.weights);
}

void experts(Step &s, const Node &n) {
  const auto &o = n.read->experts;
  array x = s.read(o.in);
  Choice here = local(s, n, s.choices.back());
  for (auto *way : {by_kernels, by_groups}) {
    if (std::optional<array> sum = way(s, n, x, here)) {
      s.write(o.out, *sum);
      return;
    }
  }
  array y = array(0.0f);
  if (s.rows * here.experts.shape(1) < SORTED_FROM) {
    y = mx::squeeze(computed(s, n, mx::expand_dims(x, {1, 2}), own_instead(here.experts), false), 2);
  } else {
    bool shared = 2 * o.held_count <= n.indices->shape(1);
    y = shared ? only_held(s, n, x, here.experts) : sorted_by_expert(s, n, x, own_instead(here.experts));
  }
  s.write(o.out, mx::sum(mx::multiply(to_float(y), mx::expand_dims(here.weights, -1)), 1));
}

} // namespace espalier
