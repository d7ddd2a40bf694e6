#include "choice.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

namespace espalier::decode {

constexpr int ROUNDS = 5;             /* of measuring all ways in turn; the least time of each counts */
constexpr double VALUE_TOLERANCE = 10; /* of a single value, of the whole's */

static std::string printed(const char *format, double value) {
  char text[64];
  snprintf(text, sizeof text, format, value);
  return text;
}

/** Why a result is wrong; empty if it is right. */
static std::string difference(const std::vector<float> &right, const std::vector<float> &got, double tolerance) {
  if (got.size() != right.size()) {
    return "has " + std::to_string(got.size()) + " values, expected " + std::to_string(right.size());
  }
  double squares = 0, differences = 0, greatest = 0;
  size_t at = 0;
  for (size_t i = 0; i < got.size(); i++) {
    if (!std::isfinite(got[i]) && std::isfinite(right[i])) {
      return "is not finite in value " + std::to_string(i);
    }
    const double d = std::fabs(static_cast<double>(got[i]) - static_cast<double>(right[i]));
    squares += static_cast<double>(right[i]) * static_cast<double>(right[i]);
    differences += d * d;
    if (d > greatest) {
      greatest = d;
      at = i;
    }
  }
  const double length = std::sqrt(squares), mean = length / std::sqrt(static_cast<double>(std::max<size_t>(right.size(), 1)));
  if (!(std::sqrt(differences) <= tolerance * length)) {
    return "differs by " + printed("%.3g", std::sqrt(differences) / length) + " of its length, expected at most " + printed("%.3g", tolerance);
  }
  if (!(greatest <= VALUE_TOLERANCE * tolerance * mean)) {
    return "differs in value " + std::to_string(at) + " by " + printed("%.3g", greatest / mean) + " of the root mean square, expected at most " +
           printed("%.3g", VALUE_TOLERANCE * tolerance);
  }
  return "";
}

/** What a call throws, whatever it is; empty if it returns. */
static std::string failure(const std::function<void()> &call) {
  try {
    call();
    return "";
  } catch (const std::exception &error) {
    return error.what()[0] != 0 ? error.what() : "an exception without words";
  } catch (...) {
    return "an exception that is none of C++'s own";
  }
}

struct Measured {
  const Way *way;
  std::string fault; /* why it is not taken */
  double seconds = std::numeric_limits<double>::infinity();
};

static void measure(Measured &m) {
  double seconds = 0;
  const std::string thrown = failure([&] { seconds = m.way->seconds(); });
  if (!thrown.empty()) {
    m.fault = "failed while it was timed: " + thrown;
  } else if (!(seconds > 0 && std::isfinite(seconds))) {
    m.fault = "has no time: " + printed("%g s", seconds);
  } else {
    m.seconds = std::min(m.seconds, seconds);
  }
}

static std::string milliseconds(const Measured &m) { return printed("%.3f ms", m.seconds * 1000); }

Choice choose(const Way &stock, const std::vector<Way> &ways, double tolerance) {
  std::vector<float> right;
  const std::string thrown = failure([&] { right = stock.result(); });
  if (!thrown.empty()) {
    return {Choice::STOCK, stock.name + " taken, though it failed, and nothing can be compared with it: " + thrown};
  }
  if (std::all_of(right.begin(), right.end(), [](float value) { return value == 0; })) {
    return {Choice::STOCK, stock.name + " taken: its result is nothing but zeros, as that of wrong kernels may be, so that nothing can be compared with it"};
  }
  Measured first{&stock, ""};
  std::vector<Measured> others;
  for (const Way &way : ways) {
    std::vector<float> got;
    std::string fault = failure([&] { got = way.result(); });
    fault = !fault.empty() ? "failed: " + fault : difference(right, got, tolerance);
    others.push_back({&way, fault});
  }
  const bool any = std::any_of(others.begin(), others.end(), [](const Measured &m) { return m.fault.empty(); });
  for (int round = 0; round < ROUNDS && any; round++) {
    measure(first);
    for (Measured &m : others) {
      if (m.fault.empty()) {
        measure(m);
      }
    }
  }
  int taken = Choice::STOCK;
  double least = first.seconds;
  for (size_t i = 0; i < others.size() && first.fault.empty(); i++) {
    if (others[i].fault.empty() && others[i].seconds < least) {
      taken = static_cast<int>(i);
      least = others[i].seconds;
    }
  }
  std::string report = (taken == Choice::STOCK ? stock.name : others[static_cast<size_t>(taken)].way->name) + " taken";
  report += !first.fault.empty() ? ", since nothing can be timed beside it: " + stock.name + " " + first.fault
            : !any               ? ", since nothing else is right"
                                 : ", the fastest: " + stock.name + " " + milliseconds(first);
  for (const Measured &m : others) {
    report += "; " + m.way->name + " " + (!m.fault.empty() ? m.fault : first.fault.empty() ? milliseconds(m) : "is right");
  }
  return {taken, report};
}

} // namespace espalier::decode
