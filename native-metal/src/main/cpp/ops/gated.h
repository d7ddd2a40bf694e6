/* down (activation(gate x, up x)) */
#pragma once

#include "../step.h"

namespace espalier {

/** [..., F] of gate and up, to what goes down. */
array activate(const unit &u, const array &gate, const array &up);
/** Both halves of [..., 2F]. */
std::pair<array, array> halves(const array &x);

} // namespace espalier
