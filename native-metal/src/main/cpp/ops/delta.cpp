/* The gated delta rule, in float: GatedDeltaRule.java has the formula. H value heads, each with a state [U, W] for values of U and keys of W; G key heads. */
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
    auto by_head = [&](view v, float length) { /* [1, T, G, W], of the key heads */
      array x = unit_length(mx::reshape(to_float(s.read(v, span)), {1, rows, keys, width}), length);
      return n.plain_heads ? x : mx::take(x, *n.indices, 2);
    };
    array q = by_head(o.q, 1 / std::sqrt(static_cast<float>(width))), k = by_head(o.k, 1);
    array v = mx::reshape(to_float(s.read(o.v, span)), {1, rows, heads, value});
    array rate = softplus(mx::add(to_float(s.read(o.decay, span)), *n.second_vector)); /* [T, H] */
    array g = mx::expand_dims(mx::exp(mx::negative(mx::multiply(rate, *n.vector))), 0);
    array beta = mx::expand_dims(mx::sigmoid(to_float(s.read(o.beta, span))), 0);
    std::optional<array> before = s.state(span, o.cache);
    array state = before ? *before : mx::zeros({1, heads, value, width});
    std::vector<array> y = mx::fast::gated_delta_update(q, k, v, g, beta, state); /* [1, T, H, U], [1, H, U, W] */
    all.push_back(mx::reshape(y[0], {rows, heads * value}));
    s.set_state(span, o.cache, y[1]);
  }
  s.write(o.out, std::move(all));
}

} // namespace espalier
