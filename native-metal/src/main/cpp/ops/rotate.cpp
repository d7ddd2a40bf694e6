/* Rotary positions, of every row by its position in its session. */
#include "../step.h"

namespace espalier {

/** Columns [from, from + 2P) of each of H heads of W. */
void rotate(Step &s, const Node &n) {
  const auto &o = n.read->rotate;
  int width = o.x.width / o.heads, rotated = 2 * o.pairs, end = o.from + rotated;
  std::vector<array> all;
  for (const Span &span : s.spans) {
    array x = mx::swapaxes(mx::reshape(wide(s.read(o.x, span)), {1, span.count, o.heads, width}), 1, 2); /* [1, H, T, W] */
    auto columns = [&](int from, int to) { return mx::slice(x, {0, 0, 0, from}, {1, o.heads, span.count, to}); };
    array turned = rotated == width ? x : columns(o.from, end);
    turned = mx::fast::rope(turned, rotated, o.interleaved != 0, std::nullopt, 1, span.position, n.vector);
    if (o.factor != 1) {
      turned = mx::multiply(turned, array(o.factor, turned.dtype()));
    }
    if (rotated < width) {
      std::vector<array> parts{turned};
      if (o.from > 0) {
        parts.insert(parts.begin(), columns(0, o.from));
      }
      if (end < width) {
        parts.push_back(columns(end, width));
      }
      turned = mx::concatenate(parts, 3);
    }
    all.push_back(mx::reshape(mx::swapaxes(turned, 1, 2), {span.count, o.x.width}));
  }
  s.write(o.x, std::move(all));
}

} // namespace espalier
