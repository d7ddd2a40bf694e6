/* The values of a step: each slot is the columns that were written, as arrays [T, width] that are not computed yet. */
#pragma once

#include <algorithm>

#include "device.h"

namespace espalier {

class Slot {
 public:
  Slot(int rows, mx::Dtype type) : rows(rows), type(type) {}

  void write(int offset, const array &values) {
    std::vector<Part> kept;
    int end = offset + values.shape(1);
    for (const Part &part : parts) {
      if (part.offset < offset) {
        kept.push_back(part.columns(part.offset, std::min(part.end(), offset)));
      }
      if (part.end() > end) {
        kept.push_back(part.columns(std::max(part.offset, end), part.end()));
      }
    }
    kept.push_back({offset, values.dtype() == type ? values : mx::astype(values, type)});
    parts = std::move(kept);
    std::sort(parts.begin(), parts.end(), [](const Part &a, const Part &b) { return a.offset < b.offset; });
  }

  /** Columns that nobody wrote are zeros: in a gather they are other nodes'. */
  array read(int offset, int width) {
    std::vector<array> all;
    int at = offset, end = offset + width;
    for (const Part &part : parts) {
      if (part.end() <= at || part.offset >= end) {
        continue;
      }
      if (part.offset > at) {
        all.push_back(mx::zeros({rows, part.offset - at}, type));
        at = part.offset;
      }
      int to = std::min(end, part.end());
      all.push_back(part.columns(at, to).values);
      at = to;
    }
    if (at < end) {
      all.push_back(mx::zeros({rows, end - at}, type));
    }
    if (all.size() == 1) {
      return all[0];
    }
    array joined = mx::concatenate(all, 1);
    write(offset, joined);
    return joined;
  }

  void add_to(std::vector<array> &all) const {
    for (const Part &part : parts) {
      all.push_back(part.values);
    }
  }

 private:
  struct Part {
    int offset;
    array values;
    int end() const { return offset + values.shape(1); }
    Part columns(int from, int to) const {
      return from == offset && to == end() ? *this : Part{from, mx::slice(values, {0, from - offset}, {values.shape(0), to - offset})};
    }
  };
  int rows;
  mx::Dtype type;
  std::vector<Part> parts;
};

} // namespace espalier
