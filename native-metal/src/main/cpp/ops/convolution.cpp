/* A short causal convolution of each of C columns, then SiLU; the state is the last rows of x, [kernel - 1, C], in float. */
#include "../step.h"

namespace espalier {

void short_convolution(Step &s, const Node &n) {
  const auto &o = n.read->convolution;
  int channels = o.x.width, kept = o.kernel - 1;
  std::vector<array> all;
  for (const Span &span : s.spans) {
    std::optional<array> before = s.state(span, o.cache);
    array x = mx::concatenate({before ? *before : mx::zeros({kept, channels}), to_float(s.read(o.x, span))}, 0); /* [kept + T, C] */
    std::optional<array> sum;
    for (int k = 0; k < o.kernel; k++) {
      array taps = mx::reshape(mx::slice(*n.vector, {0, k}, {channels, k + 1}), {1, channels});
      array part = mx::multiply(taps, mx::slice(x, {k, 0}, {k + span.count, channels}));
      sum = sum ? mx::add(*sum, part) : part;
    }
    all.push_back(mx::multiply(*sum, mx::sigmoid(*sum)));
    s.set_state(span, o.cache, mx::contiguous(mx::slice(x, {span.count, 0}, {span.count + kept, channels})));
  }
  s.write(o.out, std::move(all));
}

} // namespace espalier
