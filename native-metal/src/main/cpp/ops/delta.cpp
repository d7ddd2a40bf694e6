/*
 * The gated delta rule, in float. H value heads, each with a state [W, U] for keys of W and values of U. GatedDeltaRule.java has the formula; here row by row:
 * each reads the state, corrects what its key yields too little, and reads it again.
 */
#include <cmath>

#include "../step.h"

namespace espalier {

static constexpr float EPS = 1e-6f;

/** Rows of keys, made so long. */
static array unit_length(const array &x, float length) {
  array squares = mx::sum(mx::multiply(x, x), -1, true);
  return mx::multiply(x, mx::divide(array(length), mx::sqrt(mx::add(squares, array(EPS)))));
}

/** log(1 + exp x), without overflow. */
static array softplus(const array &x) { return mx::logaddexp(x, array(0.0f)); }

void gated_delta_rule(Step &s, const Node &n) {
  const auto &o = n.read->delta;
  int heads = o.heads, width = o.key_width, value = o.v.width / heads, keys = o.k.width / width;
  std::vector<array> all;
  for (const Span &span : s.spans) {
    int rows = span.count;
    auto by_head = [&](view v, float length) { /* [T, H, W, 1] */
      array x = unit_length(mx::reshape(to_float(s.read(v, span)), {rows, keys, width}), length);
      return mx::expand_dims(mx::take(x, *n.indices, 1), -1);
    };
    array q = by_head(o.q, 1 / std::sqrt(static_cast<float>(width))), k = by_head(o.k, 1);
    array v = mx::reshape(to_float(s.read(o.v, span)), {rows, heads, 1, value});
    array rate = softplus(mx::add(to_float(s.read(o.decay, span)), *n.second_vector));
    array g = mx::reshape(mx::exp(mx::negative(mx::multiply(rate, *n.vector))), {rows, heads, 1, 1});
    array beta = mx::reshape(mx::sigmoid(to_float(s.read(o.beta, span))), {rows, heads, 1, 1});
    std::optional<array> before = s.state(span, o.cache);
    array state = before ? *before : mx::zeros({heads, width, value});
    std::vector<array> out;
    for (int t = 0; t < rows; t++) {
      auto row = [&](const array &x) { return mx::squeeze(mx::slice(x, {t, 0, 0, 0}, {t + 1, x.shape(1), x.shape(2), x.shape(3)}), 0); };
      state = mx::multiply(row(g), state);
      array yields = mx::sum(mx::multiply(row(k), state), 1, true); /* [H, 1, U] */
      state = mx::add(state, mx::multiply(row(k), mx::multiply(row(beta), mx::subtract(row(v), yields))));
      out.push_back(mx::reshape(mx::sum(mx::multiply(row(q), state), 1), {1, heads * value}));
    }
    all.push_back(out.size() == 1 ? out[0] : mx::concatenate(out, 0));
    s.set_state(span, o.cache, state);
  }
  s.write(o.out, std::move(all));
}

} // namespace espalier
