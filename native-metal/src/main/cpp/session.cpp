#include "session.h"

#include "load.h"

#include <algorithm>

namespace espalier {

enum {
  SPARE = 64,  /* rows that a windowed cache keeps beyond its window, as Cache.Rows in Java */
  GROWTH = 256 /* rows that a cache grows by at least */
};

std::vector<array> RowCache::append(int length, int kept, int max_length, const std::vector<array> &rows) {
  if (length == 0) {
    parts.clear();
    first = 0;
  }
  int count = rows[0].shape(2), capacity = parts.empty() ? 0 : parts[0].shape(2);
  if (length - first + count > capacity) {
    int from = std::max(first, length - kept), stay = length - from;
    int more = std::min((stay + count + std::max<int>(GROWTH, stay / 2)) / GROWTH * GROWTH, max_length - from);
    for (size_t i = 0; i < rows.size(); i++) {
      mx::Shape shape = rows[i].shape();
      shape[2] = std::max(more, stay + count) - stay;
      array room = mx::zeros(shape, rows[i].dtype());
      if (stay > 0) {
        mx::Shape start{0, 0, from - first, 0}, stop = parts[i].shape();
        stop[2] = length - first;
        room = mx::concatenate({mx::slice(parts[i], start, stop), room}, 2);
      }
      i < parts.size() ? void(parts[i] = room) : parts.push_back(room);
    }
    first = from;
  }
  std::vector<array> seen;
  for (size_t i = 0; i < rows.size(); i++) {
    mx::Shape start{0, 0, length - first, 0}, stop = parts[i].shape();
    stop[2] = length - first + count;
    parts[i] = mx::slice_update(parts[i], rows[i], start, stop);
    seen.push_back(mx::slice(parts[i], {0, 0, 0, 0}, stop, {1, 1, 1, 1}));
  }
  return seen;
}

const LayerEdit *Session::edit(int layer) const {
  for (const LayerEdit &one : edits) {
    if (one.layer == layer) {
      return &one;
    }
  }
  return nullptr;
}

int kept_rows(const cache_shape &shape, int max_length) {
  return shape.window == 0 ? max_length : static_cast<int>(std::min<int64_t>(max_length, static_cast<int64_t>(shape.window) + SPARE));
}

static int64_t cached_bytes(const es_program &p, const cache_shape &shape) {
  return static_cast<int64_t>(shape.width) * static_cast<int64_t>(mx::size_of(cache_type(p)));
}

int64_t Sessions::row_bytes() const {
  int64_t bytes = 0;
  for (int i = 0; i < program.cache_count; i++) {
    bytes += program.caches[i].kind == ES_ROWS ? cached_bytes(program, program.caches[i]) : 0;
  }
  return bytes;
}

int64_t Sessions::state_bytes() const {
  int64_t bytes = 0;
  for (int i = 0; i < program.cache_count; i++) {
    bytes += program.caches[i].kind == ES_STATE ? program.caches[i].width * INT64_C(4) : 0;
  }
  return bytes;
}

int64_t Sessions::session_bytes(int max_length) const {
  int64_t bytes = state_bytes();
  for (int i = 0; i < program.cache_count; i++) {
    const cache_shape &shape = program.caches[i];
    bytes += shape.kind == ES_ROWS ? cached_bytes(program, shape) * kept_rows(shape, max_length) : 0;
  }
  return bytes;
}

int64_t Sessions::reserved_bytes() const {
  int64_t bytes = 0;
  for (const auto &s : all) {
    bytes += session_bytes(s->max_length) + static_cast<int64_t>(s->snapshots.size()) * state_bytes();
  }
  return bytes;
}

int64_t Sessions::rows_free() const {
  int64_t device = unpromised_memory();
  int64_t left = (program.kv_bytes > 0 ? std::min(program.kv_bytes - reserved_bytes(), device) : device) - state_bytes();
  return left <= 0 ? 0 : left / std::max<int64_t>(1, row_bytes());
}

void Sessions::require_free(int64_t bytes, const std::string &what) const {
  int64_t left = program.kv_bytes - reserved_bytes();
  if (program.kv_bytes > 0 && bytes > left) {
    throw Failure(ES_FAILED, what + " needs " + std::to_string(bytes) + " bytes of KV cache, " + std::to_string(left) + " of "
        + std::to_string(program.kv_bytes) + " are free: close other sessions, open a shorter one, or raise the limit");
  }
  if (bytes > unpromised_memory()) {
    throw Failure(ES_NO_MEMORY, what + " needs " + std::to_string(bytes) + " bytes of KV cache, " + std::to_string(unpromised_memory())
        + " of the device's memory are free: close other sessions, or open a shorter one");
  }
}

Session *Sessions::find(int64_t id) const {
  for (const auto &s : all) {
    if (s->id == id) {
      return s.get();
    }
  }
  return nullptr;
}

std::unique_ptr<Session> Sessions::fresh(int64_t id, int max_length) const {
  require_free(session_bytes(max_length), "session " + std::to_string(id) + " of " + std::to_string(max_length) + " rows");
  auto s = std::make_unique<Session>();
  s->id = id;
  s->max_length = max_length;
  s->rows.resize(static_cast<size_t>(program.cache_count));
  s->states.resize(static_cast<size_t>(program.cache_count));
  return s;
}

void Sessions::add(std::unique_ptr<Session> session) {
  all.push_back(std::move(session));
  promise();
}

static std::vector<int> read_list(words &w) {
  int count = word_length(&w, 1);
  words items = word_part(&w, count);
  return {items.next, items.next + count};
}

void Sessions::open(int64_t id, int max_length, words w) {
  std::vector<LayerEdit> edits;
  int count = word_length(&w, 5);
  for (int i = 0; i < count && !w.bad; i++) {
    LayerEdit edit{};
    edit.layer = word(&w);
    edit.ban = read_list(w);
    edit.force = read_list(w);
    edit.top_k = word(&w);
    edit.scale = word_float(&w);
    edits.push_back(std::move(edit));
  }
  if (w.bad || w.next != w.end) {
    throw Failure(ES_FAILED, "the router edits of session " + std::to_string(id) + " end too early or too late");
  }
  if (max_length < 1 || find(id)) {
    throw Failure(ES_FAILED, "session " + std::to_string(id) + " cannot be opened for " + std::to_string(max_length) + " rows");
  }
  std::unique_ptr<Session> session = fresh(id, max_length);
  session->edits = std::move(edits);
  add(std::move(session));
}

static const std::vector<std::optional<array>> *states_at(const Session &s, int length) {
  if (length == s.length) {
    return &s.states;
  }
  for (const Snapshot &one : s.snapshots) {
    if (one.length == length) {
      return &one.states;
    }
  }
  return nullptr;
}

void Sessions::copy(int64_t from, int64_t to, int length) {
  const Session *source = find(from);
  if (!source || find(to) || length < 0 || length > source->length) {
    throw Failure(ES_FAILED, "session " + std::to_string(from) + " cannot be copied to " + std::to_string(to));
  }
  std::unique_ptr<Session> copy = fresh(to, source->max_length);
  copy->rows = source->rows;
  if (const auto *states = states_at(*source, length)) {
    copy->states = *states;
  }
  copy->edits = source->edits;
  copy->length = length;
  copy->greedy = source->greedy;
  add(std::move(copy));
}

void Sessions::snapshot(int64_t id) {
  Session *s = find(id);
  if (!s) {
    throw Failure(ES_FAILED, "session " + std::to_string(id) + " is not open");
  }
  require_free(state_bytes(), "a snapshot of session " + std::to_string(id));
  s->snapshots.push_back({s->length, s->states});
  promise();
}

void Sessions::drop_snapshot(int64_t id, int length) {
  if (Session *s = find(id)) {
    std::erase_if(s->snapshots, [&](const Snapshot &one) { return one.length == length; });
    promise();
  }
}

void Sessions::drop_rows(int64_t id, int length) {
  Session *s = find(id);
  if (!s || length < 0 || length > s->length) {
    return;
  }
  const auto *kept = states_at(*s, length);
  auto states = kept ? *kept : std::vector<std::optional<array>>(s->states.size());
  s->states = std::move(states);
  s->length = length;
  std::erase_if(s->snapshots, [&](const Snapshot &one) { return one.length > length; });
  promise();
}

void Sessions::close(int64_t id) {
  std::erase_if(all, [&](const auto &s) { return s->id == id; });
  promise();
}

} // namespace espalier
