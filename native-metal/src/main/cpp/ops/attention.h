/* What both kinds of attention share. */
#pragma once

#include "../step.h"

namespace espalier {

/** The first row that the first row of a span sees, of those from `kept` on. */
int first_seen(const Span &span, int kept, int window);
/** [1, H, L, D] without its first rows. */
array from_row(const array &rows, int skipped);
/** Which of the rows from `first` on each row of a span sees, [T, L]; none where that is every one up to itself. */
std::optional<array> seen_rows(const Span &span, int first, int window);
/** [T, H W] to [1, H, T, W], and back. */
array heads_first(const array &x, int heads);
array rows_first(const array &x);
/** [1, H, T, W] over [1, G, L, W] and [1, G, L, U] to [1, H, T, U]; sums are in float. */
array attend(const array &q, const array &k, const array &v, float scale, const std::optional<array> &mask, const std::optional<array> &sinks);

} // namespace espalier
