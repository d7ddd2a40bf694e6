/** Which way of computing the same thing is taken on this machine: the fastest of those whose results are right. */
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace espalier::decode {

/** Both may throw, which is reported. */
struct Way {
  std::string name;
  std::function<std::vector<float>()> result;
  std::function<double()> seconds; /* of one step, measured anew by each call */
};

struct Choice {
  int taken; /* index of the way, or STOCK */
  std::string report; /* what was taken and why, and why not the others; one sentence for each */

  static constexpr int STOCK = -1;
};

/**
 * Compares all ways with the stock one, which has the last word on what is right. Where its result is nothing but zeros, it is taken: a way that multiplies
 * wrongly with weights of zero would look right.
 *
 * @param tolerance greatest difference, of the length of the stock result; single values may differ by ten times as much of their root mean square
 */
Choice choose(const Way &stock, const std::vector<Way> &ways, double tolerance);

} // namespace espalier::decode
