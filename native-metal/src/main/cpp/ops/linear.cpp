/* Products with a weight. D columns in, O out, V words. */
#include "../step.h"

namespace espalier {

/** [T, D], rows of a table. */
void embed(Step &s, const Node &n) {
  array ids(s.tokens.begin(), {s.rows}, mx::int32);
  s.write(n.read->embed.out, n.weight->rows_of(ids));
}

/** [T, D] to [T, O]. */
void linear(Step &s, const Node &n) {
  const auto &o = n.read->linear;
  array y = n.weight->product(s.read(o.in));
  s.write(o.out, n.vector ? mx::add(y, *n.vector) : y);
}

/** The R of [T, D] that want logits, to [R, V]. */
void logits(Step &s, const Node &n) {
  const auto &o = n.read->logits;
  int wanted = static_cast<int>(s.logits_rows.size());
  if (wanted == 0) {
    return;
  }
  array x = s.read(o.in);
  if (wanted < s.rows) {
    x = mx::take(x, array(s.logits_rows.begin(), {wanted}, mx::int32), 0);
  }
  array y = to_float(n.weight->product(x));
  array cap(o.cap);
  s.write(o.out, o.cap > 0 ? mx::multiply(cap, mx::tanh(mx::divide(y, cap))) : y);
}

} // namespace espalier
