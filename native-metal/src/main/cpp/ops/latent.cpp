/*
 * Multi-head latent attention. H heads, queries of N columns without and R with rotation, latents of C, values of U; L rows seen. Few rows multiply their queries
 * into the latents' space and attend there (absorbed); many rows make keys and values of the latents first (expanded).
 */
#include "attention.h"

namespace espalier {

/** Whether making keys and values of L rows costs less than the wider sums of T rows with each of them. */
static bool expands(int rows, int nope, int rope, int latent, int value) {
  int64_t absorbed = 2 * static_cast<int64_t>(latent) + rope, expanded = static_cast<int64_t>(nope) + rope + value;
  return rows * (absorbed - expanded) > static_cast<int64_t>(latent) * (nope + value);
}

void latent_attention(Step &s, const Node &n) {
  const auto &o = n.read->latent_attention;
  int latent = o.latent.width, rope = o.key_rope.width, width = o.q.width / o.heads, nope = width - rope, value = o.out.width / o.heads;
  int window = s.program.read.caches[o.cache].window;
  mx::Dtype type = cache_type(s.program.read);
  std::vector<array> all;
  for (size_t i = 0; i < s.spans.size(); i++) {
    const Span &span = s.spans[i];
    array row = mx::concatenate({s.read(o.latent, span), s.read(o.key_rope, span)}, 1);
    array rows = s.append(span, o.cache, {mx::astype(heads_first(row, 1), type)})[0]; /* [1, 1, L, C + R] */
    int kept = s.first_kept(span, o.cache), first = first_seen(span, kept, window);
    rows = wide(from_row(rows, first - kept));
    int seen = rows.shape(2);
    auto columns = [](const array &x, int from, int to) {
      mx::Shape start{0, 0, 0, from}, stop = x.shape();
      stop[3] = to;
      return mx::slice(x, start, stop);
    };
    array q = heads_first(s.read(o.q, span), o.heads); /* [1, H, T, N + R] */
    array turned = mx::astype(columns(q, nope, width), rows.dtype()), plain = columns(q, 0, nope);
    std::optional<array> mask = o.selection && s.selection[i] ? s.selection[i] : seen_rows(span, first, window);
    auto by_head = [&](const array &x, int rows_of_x) { return mx::squeeze(mx::broadcast_to(x, {1, o.heads, rows_of_x, x.shape(3)}), 0); };
    auto of_heads = [&](const array &x) { return o.heads == 1 ? mx::reshape(x, {1, 1, x.shape(-2), x.shape(-1)}) : mx::expand_dims(x, 0); };
    auto heads_of = [&](const array &x) { return o.heads == 1 ? mx::reshape(x, {x.shape(-2), x.shape(-1)}) : mx::squeeze(x, 0); };
    if (expands(span.count, nope, rope, latent, value)) {
      array latents = by_head(columns(rows, 0, latent), seen);
      latents = o.heads == 1 ? heads_of(latents) : latents; /* [H, L, C] */
      array k = mx::astype(of_heads(n.weight->product_back(latents)), rows.dtype());
      array v = mx::astype(of_heads(n.second->product(latents)), rows.dtype());
      array shared = mx::broadcast_to(columns(rows, latent, latent + rope), {1, o.heads, seen, rope});
      array queries = mx::concatenate({mx::astype(plain, rows.dtype()), turned}, 3);
      all.push_back(rows_first(attend(queries, mx::concatenate({k, shared}, 3), v, o.scale, mask, std::nullopt)));
      continue;
    }
    array absorbed = mx::astype(of_heads(n.weight->product(heads_of(plain))), rows.dtype()); /* [1, H, T, C] */
    array queries = mx::concatenate({absorbed, turned}, 3);
    array mixed = attend(queries, rows, columns(rows, 0, latent), o.scale, mask, std::nullopt);
    all.push_back(rows_first(of_heads(n.second->product(heads_of(mixed)))));
  }
  s.write(o.out, std::move(all));
}

} // namespace espalier
