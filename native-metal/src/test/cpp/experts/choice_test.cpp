/** The choice among ways to compute the same, with stand-ins that are wrong, slow and throw. */
#include "experts/choice.cpp"

#include <cstring>

using namespace espalier::decode;

static int failed = 0;

static void expect(const char *what, const Choice &got, int taken, const std::string &report) {
  if (got.taken != taken || got.report != report) {
    printf("%s: took %d: %s\n%*s  expected %d: %s\n", what, got.taken, got.report.c_str(), int(strlen(what)), "", taken, report.c_str());
    failed++;
  } else {
    printf("%s: as expected\n", what);
  }
}

static const std::vector<float> RIGHT = {3, -4, 0, 5, 1, 1, -2, 7};

static Way way(const char *name, std::vector<float> result, double seconds) {
  return {name, [=] { return result; }, [=] { return seconds; }};
}

static std::vector<float> changed(size_t at, float to) {
  std::vector<float> values = RIGHT;
  values[at] = to;
  return values;
}

static std::vector<float> scaled(float factor) {
  std::vector<float> values = RIGHT;
  for (float &value : values) {
    value *= factor;
  }
  return values;
}

template <typename T>
static Way throwing(const char *name, T what) {
  return {name, [=]() -> std::vector<float> { throw what; }, [] { return 1e-9; }};
}

int main() {
  const Way stock = way("stock", RIGHT, 0.002);
  const double tolerance = 0.01;
  expect("right and fast", choose(stock, {way("ours", scaled(1.009f), 0.001)}, tolerance), 0, "ours taken, the fastest: stock 2.000 ms; ours 1.000 ms");
  expect("right and slow", choose(stock, {way("ours", RIGHT, 0.003)}, tolerance), Choice::STOCK,
      "stock taken, the fastest: stock 2.000 ms; ours 3.000 ms");
  expect("as fast", choose(stock, {way("ours", RIGHT, 0.002)}, tolerance), Choice::STOCK, "stock taken, the fastest: stock 2.000 ms; ours 2.000 ms");
  expect("wrong everywhere", choose(stock, {way("ours", scaled(1.02f), 0.001)}, tolerance), Choice::STOCK,
      "stock taken, since nothing else is right; ours differs by 0.02 of its length, expected at most 0.01");
  std::vector<float> many(1000, 1.0f), one = many;
  one[617] = 1.25f;
  expect("wrong in one value of many", choose(way("stock", many, 0.002), {way("ours", one, 0.001)}, tolerance), Choice::STOCK,
      "stock taken, since nothing else is right; ours differs in value 617 by 0.25 of the root mean square, expected at most 0.1");
  expect("not a number", choose(stock, {way("ours", changed(2, NAN), 0.001)}, tolerance), Choice::STOCK,
      "stock taken, since nothing else is right; ours is not finite in value 2");
  expect("infinite", choose(stock, {way("ours", changed(7, INFINITY), 0.001)}, tolerance), Choice::STOCK,
      "stock taken, since nothing else is right; ours is not finite in value 7");
  expect("too short", choose(stock, {way("ours", {3, -4}, 0.001)}, tolerance), Choice::STOCK,
      "stock taken, since nothing else is right; ours has 2 values, expected 8");
  expect("throws", choose(stock, {throwing("ours", std::runtime_error("error: use of undeclared identifier"))}, tolerance), Choice::STOCK,
      "stock taken, since nothing else is right; ours failed: error: use of undeclared identifier");
  expect("throws without words", choose(stock, {throwing("ours", std::runtime_error(""))}, tolerance), Choice::STOCK,
      "stock taken, since nothing else is right; ours failed: an exception without words");
  expect("throws what is no exception", choose(stock, {throwing("ours", 5)}, tolerance), Choice::STOCK,
      "stock taken, since nothing else is right; ours failed: an exception that is none of C++'s own");

  Way later = way("ours", RIGHT, 0.001);
  later.seconds = [calls = 0]() mutable { return ++calls < 3 ? 0.001 : throw std::runtime_error("the device is lost"); };
  expect("throws while it is timed", choose(stock, {later}, tolerance), Choice::STOCK,
      "stock taken, the fastest: stock 2.000 ms; ours failed while it was timed: the device is lost");
  expect("takes no time", choose(stock, {way("ours", RIGHT, 0)}, tolerance), Choice::STOCK,
      "stock taken, the fastest: stock 2.000 ms; ours has no time: 0 s");
  expect("takes no number of seconds", choose(stock, {way("ours", RIGHT, NAN)}, tolerance), Choice::STOCK,
      "stock taken, the fastest: stock 2.000 ms; ours has no time: nan s");

  Way uneven = way("ours", RIGHT, 0);
  uneven.seconds = [calls = 0]() mutable { return calls++ == 3 ? 0.0015 : 0.1; };
  expect("slow but once", choose(stock, {uneven}, tolerance), 0, "ours taken, the fastest: stock 2.000 ms; ours 1.500 ms");
  expect("several",
      choose(stock, {throwing("a", std::runtime_error("no")), way("b", RIGHT, 0.0015), way("c", RIGHT, 0.001), way("d", scaled(2), 0.0001)}, tolerance), 2,
      "c taken, the fastest: stock 2.000 ms; a failed: no; b 1.500 ms; c 1.000 ms; d differs by 1 of its length, expected at most 0.01");
  expect("no other way", choose(stock, {}, tolerance), Choice::STOCK, "stock taken, since nothing else is right");
  expect("stock throws", choose(throwing("stock", std::runtime_error("out of memory")), {way("ours", RIGHT, 0.001)}, tolerance), Choice::STOCK,
      "stock taken, though it failed, and nothing can be compared with it: out of memory");
  Way silent = stock;
  silent.seconds = []() -> double { throw std::runtime_error("the device is lost"); };
  expect("stock throws while it is timed", choose(silent, {way("ours", RIGHT, 0.001)}, tolerance), Choice::STOCK,
      "stock taken, since nothing can be timed beside it: stock failed while it was timed: the device is lost; ours is right");
  expect("nothing but zeros", choose(way("stock", {0, 0}, 0.002), {way("ours", {0, 0}, 0.001)}, tolerance), Choice::STOCK,
      "stock taken: its result is nothing but zeros, as that of wrong kernels may be, so that nothing can be compared with it");
  return failed ? 1 : 0;
}
