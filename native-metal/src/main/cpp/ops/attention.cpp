/* Attention over a session's rows. H heads, G of them with keys and values, W wide, values U wide; L rows seen. */
#include "attention.h"

namespace espalier {

std::optional<array> seen_rows(const Span &span, int first, int window) {
  if (span.count == 1 || window == 0 || span.end() - first <= window) {
    return std::nullopt; /* the last row, or all before */
  }
  array k = mx::arange(first, span.end(), 1), q = mx::reshape(mx::arange(span.position, span.end(), 1), {span.count, 1});
  return mx::logical_and(mx::less_equal(k, q), mx::greater(k, mx::subtract(q, array(window))));
}

int first_seen(const Span &span, int kept, int window) { return window == 0 ? 0 : std::max(kept, span.position - window + 1); }

array from_row(const array &rows, int skipped) {
  return skipped == 0 ? rows : mx::slice(rows, {0, 0, skipped, 0}, rows.shape());
}

array attend(const array &q, const array &k, const array &v, float scale, const std::optional<array> &mask, const std::optional<array> &sinks) {
  std::string mode = mask ? "array" : q.shape(2) > 1 ? "causal" : "";
  return mx::fast::scaled_dot_product_attention(q, k, v, scale, mode, mask, sinks);
}

/** [T, H W] to [1, H, T, W]. */
array heads_first(const array &x, int heads) {
  return mx::swapaxes(mx::reshape(x, {1, x.shape(0), heads, x.shape(1) / heads}), 1, 2);
}

/** And back. */
array rows_first(const array &x) { return mx::reshape(mx::swapaxes(x, 1, 2), {x.shape(2), x.shape(1) * x.shape(3)}); }

void attention(Step &s, const Node &n) {
  const auto &o = n.read->attention;
  int kv_heads = o.k.width / (o.q.width / o.heads), window = s.program.read.caches[o.cache].window;
  mx::Dtype type = cache_type(s.program.read);
  std::vector<array> all;
  for (const Span &span : s.spans) {
    auto cached = [&](view v) { return mx::astype(heads_first(s.read(v, span), kv_heads), type); };
    std::vector<array> kv = s.append(span, o.cache, {cached(o.k), cached(o.v)}); /* [1, G, L, W], [1, G, L, U] */
    int kept = s.first_kept(span, o.cache), first = first_seen(span, kept, window);
    array k = wide(from_row(kv[0], first - kept)), v = wide(from_row(kv[1], first - kept));
    if (!n.plain_heads) {
      k = mx::take(k, *n.indices, 1);
      v = mx::take(v, *n.indices, 1);
    }
    array q = mx::astype(heads_first(s.read(o.q, span), o.heads), k.dtype());
    std::optional<array> sinks = n.vector ? std::optional(mx::astype(*n.vector, k.dtype())) : std::nullopt;
    all.push_back(rows_first(attend(q, k, v, o.scale, seen_rows(span, first, window), sinks)));
  }
  s.write(o.out, std::move(all));
}

} // namespace espalier
