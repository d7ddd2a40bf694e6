/* Which experts each row goes to, in float. T rows, E experts, K of them; the choice is RouterChoice's in Java. */
#include <cmath>

#include "../step.h"

namespace espalier {

static array less() { return array(-INFINITY); }

/** Indices by descending value, of equal ones the lowest first: MLX sorts stably. */
static array descending(const array &values) { return mx::argsort(mx::negative(values), -1); }

/** [T, n] whether an index is among the first `count` of `order`. */
static array among_first(const array &order, int count) {
  return mx::less(mx::argsort(order, -1), array(count, mx::uint32));
}

/** The experts of groups that are dropped score minus infinity. */
static array without_dropped(const decltype(op::route) &r, const array &choice) {
  int rows = choice.shape(0), size = r.experts / r.groups;
  array grouped = mx::reshape(choice, {rows, r.groups, size});
  array sorted = mx::sort(grouped, -1);
  auto best = [&](int n) { return mx::squeeze(mx::slice(sorted, {0, 0, size - n}, {rows, r.groups, size - n + 1}), -1); };
  array scores = r.group_max || size == 1 ? best(1) : mx::add(best(1), best(2)); /* [T, groups] */
  array kept = mx::expand_dims(among_first(descending(scores), r.kept), -1);
  return mx::reshape(mx::where(kept, grouped, less()), {rows, r.experts});
}

/** What the sessions of a step change, by row. */
struct Edited {
  std::vector<float> forced; /* [T][E], 0 or infinity */
  std::vector<bool> banned;
  std::vector<int32_t> top_k;  /* [T] */
  std::vector<float> scale;    /* [T] */
  int most = 0;                /* of top_k */
};

static std::optional<Edited> edited(const Step &s, const decltype(op::route) &r) {
  bool any = false;
  for (const Span &span : s.spans) {
    any |= span.session->edit(r.layer) != nullptr;
  }
  if (!any) {
    return std::nullopt;
  }
  auto experts = static_cast<size_t>(r.experts);
  Edited e{std::vector<float>(static_cast<size_t>(s.rows) * experts), std::vector<bool>(static_cast<size_t>(s.rows) * experts), {}, {}};
  for (const Span &span : s.spans) {
    const LayerEdit *edit = span.session->edit(r.layer);
    for (int t = span.first; t < span.first + span.count; t++) {
      int k = edit && edit->top_k >= 0 ? edit->top_k : r.top_k, taken = 0;
      auto at = [&](int expert) { return static_cast<size_t>(t) * experts + static_cast<size_t>(expert); };
      for (int expert : edit ? edit->ban : std::vector<int>()) {
        e.banned[at(expert)] = true;
      }
      for (int expert : edit ? edit->force : std::vector<int>()) {
        if (!e.banned[at(expert)] && e.forced[at(expert)] == 0 && taken < k) {
          e.forced[at(expert)] = INFINITY;
          taken++;
        }
      }
      e.top_k.push_back(k);
      e.scale.push_back(edit ? edit->scale : 1);
      e.most = std::max(e.most, std::min(k, r.experts));
    }
  }
  return e;
}

/** [T, K] ids by descending choice score, -1 where a row has fewer. */
static array chosen(const Step &s, const decltype(op::route) &r, const array &choice, const std::optional<Edited> &edit) {
  int rows = s.rows;
  array open = r.groups > 1 ? without_dropped(r, choice) : choice;
  auto first = [&](const array &order, int count) { return mx::astype(mx::slice(order, {0, 0}, {rows, count}), mx::int32); };
  if (!edit) {
    array ids = first(descending(open), r.top_k);
    return r.groups == 1 ? ids : mx::where(mx::equal(mx::take_along_axis(open, ids, 1), less()), array(-1), ids);
  }
  mx::Shape all{rows, r.experts};
  array banned(edit->banned.begin(), all, mx::bool_), forced(edit->forced.begin(), all, mx::float32);
  array most = array(edit->top_k.begin(), {rows, 1}, mx::uint32);
  open = mx::where(mx::greater(forced, array(0.0f)), forced, mx::where(banned, less(), open));
  array taken = mx::logical_and(mx::less(mx::argsort(descending(open), -1), most), mx::greater(open, less()));
  array order = descending(mx::where(taken, choice, less()));
  array ids = first(order, edit->most);
  return mx::where(mx::take_along_axis(taken, ids, 1), ids, array(-1));
}

void route(Step &s, const Node &n) {
  const auto &r = n.read->route;
  array logits = to_float(n.weight->product(to_float(s.read(r.in)))); /* [T, E] */
  if (n.indices) {
    logits = mx::add(logits, *n.indices);
  }
  array scores = r.softmax ? mx::softmax(logits, -1, true) : mx::sigmoid(logits);
  array choice = n.vector ? mx::add(scores, *n.vector) : scores;
  std::optional<Edited> edit = edited(s, r);
  array ids = chosen(s, r, choice, edit), there = mx::greater_equal(ids, array(0)), places = mx::maximum(ids, array(0));
  array weights = mx::where(there, mx::take_along_axis(scores, places, 1), array(0.0f));
  if (r.normalize) {
    weights = mx::divide(weights, mx::add(mx::sum(weights, 1, true), array(1e-20f)));
  }
  array factor(r.scale);
  weights = mx::multiply(weights, edit ? mx::multiply(factor, array(edit->scale.begin(), {s.rows, 1}, mx::float32)) : factor);
  if (n.second_vector) {
    weights = mx::multiply(weights, mx::take(*n.second_vector, places));
  }
  s.choices.push_back({ids, weights});
}

} // namespace espalier
