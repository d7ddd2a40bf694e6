/* The rows that each row sees, by scores of an indexer with H heads, W wide, in float: a rounded score is another row. */
#include "attention.h"

namespace espalier {

/** The K greatest of each row, the earlier of equal ones: [T, L], those that are greater than the K-th, then the first of those that equal it. */
static array greatest(const array &scores, int top_k) {
  int rows = scores.shape(0), length = scores.shape(1);
  array sorted = mx::sort(scores, 1);
  array least = mx::slice(sorted, {0, length - top_k}, {rows, length - top_k + 1}); /* [T, 1] */
  array above = mx::greater(scores, least), equal = mx::equal(scores, least);
  array left = mx::subtract(array(top_k), mx::sum(mx::astype(above, mx::int32), 1, true));
  return mx::logical_or(above, mx::logical_and(equal, mx::less_equal(mx::cumsum(mx::astype(equal, mx::int32), 1), left)));
}

void select_rows(Step &s, const Node &n) {
  const auto &o = n.read->select_rows;
  int heads = o.w.width;
  s.selection.clear();
  for (const Span &span : s.spans) {
    array k = s.append(span, o.cache, {mx::astype(heads_first(s.read(o.k, span), 1), cache_type(s.program.read))})[0]; /* [1, 1, L, W] */
    if (span.end() <= o.top_k) {
      s.selection.push_back(std::nullopt);
      continue;
    }
    array q = heads_first(to_float(s.read(o.q, span)), heads);                            /* [1, H, T, W] */
    array dots = mx::maximum(mx::matmul(q, mx::swapaxes(to_float(k), 2, 3)), array(0.0f)); /* [1, H, T, L] */
    array shares = heads_first(to_float(s.read(o.w, span)), heads);                       /* [1, H, T, 1] */
    array scores = mx::squeeze(mx::sum(mx::multiply(dots, shares), 1), 0);                /* [T, L] */
    array before = mx::less_equal(mx::arange(0, span.end(), 1), mx::reshape(mx::arange(span.position, span.end(), 1), {span.count, 1}));
    scores = mx::where(before, scores, array(-INFINITY));
    s.selection.push_back(mx::logical_and(before, greatest(scores, o.top_k)));
  }
}

} // namespace espalier
