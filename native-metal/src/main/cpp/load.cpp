#include "load.h"

#include <cstring>
#include <set>

namespace espalier {

enum { ROWS_BYTES = 16 << 20 }; /* that are read between two looks at the clock */

static bool same_bytes(const weight &a, const weight &b) {
  return &a == &b
      || (a.pieces[0].values.first == b.pieces[0].values.first && a.rows == b.rows && a.columns == b.columns && a.count == b.count
          && a.first_row == b.first_row && a.row_block == b.row_block && a.row_step == b.row_step && a.transposed == b.transposed);
}

bool Loader::go_together(const weight &a, const weight &b) const {
  const format &f = a.format, &g = b.format;
  return f.kind == g.kind && f.type == g.type && f.group == g.group && f.scales == g.scales && !a.transposed && !b.transposed;
}

const Operand *Loader::want(std::vector<const weight *> parts, Exactness exactness) {
  for (Wanted &one : all) {
    bool same = one.exactness == exactness && one.parts.size() == parts.size();
    for (size_t i = 0; same && i < parts.size(); i++) {
      same = same_bytes(*one.parts[i], *parts[i]);
    }
    if (same) {
      return &one.operand;
    }
  }
  const weight &w = *parts[0];
  Kind kind = kind_of(program, w, exactness);
  int64_t values = 0;
  int rows = 0;
  for (const weight *part : parts) {
    require_operand(*part, kind);
    values += static_cast<int64_t>(part->count) * part->rows * part->columns;
    rows += part->rows;
  }
  int64_t bytes = operand_bytes(kind, values);
  total += bytes;
  all.push_back({std::move(parts), exactness, Operand{kind, w.count, rows, w.columns, w.transposed}, bytes});
  return &all.back().operand;
}

void Loader::count_vectors() {
  for (int i = 0; i < program.weight_count; i++) {
    const weight *w = &program.weights[i];
    bool found = false;
    for (const Wanted &one : all) {
      for (const weight *part : one.parts) {
        found |= same_bytes(*part, *w);
      }
    }
    vectors += found ? 0 : weight_bytes(w);
  }
}

/** Values, and groups, of a stored row as the operand keeps it. */
static int64_t kept_values(const weight &w) { return w.transposed ? w.rows : w.columns; }
static int64_t value_bytes(const weight &w, const Kind &k) {
  return k.mode.empty() ? kept_values(w) * mx::size_of(stored_values(w.format)) : kept_values(w) * k.bits / 8;
}
static int64_t scale_bytes(const weight &w, const Kind &k) {
  return k.mode.empty() ? 0 : kept_values(w) / k.group * mx::size_of(stored_scales(w.format));
}

static int64_t stored_rows(const std::vector<const weight *> &parts) {
  int64_t rows = 0;
  for (const weight *part : parts) {
    rows += weight_stored_rows(part);
  }
  return rows;
}

void Loader::begin(Wanted &wanted) {
  const weight &w = *wanted.parts[0];
  const Kind &kind = wanted.operand.kind;
  auto rows = static_cast<size_t>(stored_rows(wanted.parts) * w.count);
  auto bytes = [&](int64_t each) {
    mx::allocator::Data data = mx::allocator::malloc(rows * static_cast<size_t>(each));
    if (each > 0 && !data.buffer().ptr()) { /* MLX's processor backend does not say so itself */
      throw Failure(ES_NO_MEMORY, "no memory for weight " + std::string(w.name) + ": place the model on more nodes");
    }
    return data;
  };
  int64_t scales = scale_bytes(w, kind), biases = kind.mode == "affine" ? scales : 0;
  reading.emplace(Reading{bytes(value_bytes(w, kind)), bytes(scales), bytes(biases)});
}

/** Every row_step-th of the plain values of a stored row. */
static void pick(const weight &w, const uint8_t *row, size_t size, uint8_t *into) {
  for (int i = 0; i < w.rows; i++) {
    std::memcpy(into + static_cast<size_t>(i) * size, row + static_cast<size_t>(i) * static_cast<size_t>(w.row_step) * size, size);
  }
}

bool Loader::read_some(Wanted &wanted) {
  Reading &r = *reading;
  const Kind &kind = wanted.operand.kind;
  const weight &w = *wanted.parts[r.part];
  const piece &from = w.pieces[r.matrix];
  int64_t stored = weight_stored_rows(&w), each = value_bytes(w, kind), scale = scale_bytes(w, kind);
  int64_t count = std::min(stored - r.row, std::max<int64_t>(1, ROWS_BYTES / each));
  int64_t before = stored_rows(wanted.parts) * r.matrix + r.row;
  for (size_t i = 0; i < r.part; i++) {
    before += weight_stored_rows(wanted.parts[i]);
  }
  auto place = [&](mx::allocator::Data &data, int64_t bytes) { return static_cast<uint8_t *>(data.buffer().raw_ptr()) + before * bytes; };
  uint8_t *values = place(r.values, each), *scales = place(r.scales, scale), *biases = place(r.biases, scale);
  int32_t skipped = w.transposed ? w.first_row : 0;
  Rows rows{&from.values, r.row, count, format_row_bytes(&w.format, skipped), format_row_bytes(&w.format, static_cast<int32_t>(kept_values(w)))};
  if (w.format.kind == ES_BLOCK) {
    std::vector<uint8_t> blocks(static_cast<size_t>(count * rows.kept));
    files->read(w, rows, blocks.data());
    regroup(w.format.type, blocks.data(), count * rows.kept / block_bytes(w.format.type), values, scales, reinterpret_cast<float *>(biases));
  } else if (w.transposed && w.row_step > 1) { /* of plain values */
    auto size = mx::size_of(stored_values(w.format));
    rows.kept = ((w.rows - INT64_C(1)) * w.row_step + 1) * size;
    std::vector<uint8_t> whole(static_cast<size_t>(count * rows.kept));
    files->read(w, rows, whole.data());
    for (int64_t i = 0; i < count; i++) {
      pick(w, whole.data() + i * rows.kept, size, values + i * each);
    }
  } else {
    files->read(w, rows, values);
    if (scale > 0) {
      files->read(w, {&from.scales, r.row, count, format_scale_bytes(&w.format, skipped), scale}, scales);
    }
    if (w.format.kind == ES_AFFINE) {
      files->read(w, {&from.biases, r.row, count, format_scale_bytes(&w.format, skipped), scale}, biases);
    }
  }
  r.row += count;
  if (r.row == stored) {
    r.row = 0;
    if (++r.part == wanted.parts.size()) {
      r.part = 0;
      r.matrix++;
    }
  }
  return r.matrix == w.count;
}

void Loader::finish(Wanted &wanted) {
  Operand &o = wanted.operand;
  const weight &w = *wanted.parts[0];
  int rows = static_cast<int>(stored_rows(wanted.parts)), columns = static_cast<int>(kept_values(w));
  auto shape = [&](int width) { return o.count == 1 ? mx::Shape{rows, width} : mx::Shape{o.count, rows, width}; };
  bool plain = o.kind.mode.empty();
  o.values = array(std::move(reading->values), shape(plain ? columns : columns * o.kind.bits / 32), stored_values(w.format));
  if (plain) {
    o.values = mx::astype(o.values, o.kind.values);
  } else {
    auto scales = [&](mx::allocator::Data &data) {
      return mx::astype(array(std::move(data), shape(columns / o.kind.group), stored_scales(w.format)), o.kind.scales);
    };
    o.scales = scales(reading->scales);
    if (w.format.kind == ES_SCALED && o.kind.mode == "affine") { /* int4 has 8 added */
      o.biases = mx::multiply(*o.scales, array(-8.0f, o.kind.scales));
    } else if (o.kind.mode == "affine") {
      o.biases = scales(reading->biases);
    }
  }
  reading.reset();
  evaluate(o.arrays());
}

int64_t Loader::more(std::chrono::steady_clock::time_point end) {
  while (next < all.size() && std::chrono::steady_clock::now() < end) {
    Wanted &wanted = all[next];
    if (!reading) {
      begin(wanted);
    }
    if (read_some(wanted)) {
      finish(wanted);
      ready += wanted.bytes;
      next++;
    }
  }
  if (next == all.size()) {
    files.reset();
    return resident_bytes();
  }
  const Wanted &wanted = all[next];
  int64_t matrices = static_cast<int64_t>(wanted.parts[0]->count) * static_cast<int64_t>(wanted.parts.size());
  return ready + (reading ? wanted.bytes / matrices * (reading->matrix * static_cast<int64_t>(wanted.parts.size()) + static_cast<int64_t>(reading->part)) : 0);
}

} // namespace espalier
