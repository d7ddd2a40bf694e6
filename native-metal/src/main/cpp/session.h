/* What sessions keep between steps. */
#pragma once

#include <memory>
#include <optional>

#include "device.h"

namespace espalier {

class Loader;

/** One layer's interventions in routing, see RouterEdits.java. */
struct LayerEdit {
  int layer, top_k; /* -1: the model's */
  float scale;
  std::vector<int> ban, force;
};

/**
 * Rows of a session, [1, H, capacity, D] of each of its parts (keys and values), of which those from position `first` on are there. Forks share
 * memory: MLX writes in place only where nobody else holds it.
 */
struct RowCache {
  std::vector<array> parts;
  int first = 0;

  /**
   * Appends [1, H, T, D] of each part after `length` rows.
   *
   * @param kept rows before these that have to stay, once there is no more room
   * @return [1, H, length + T - first, D] of each
   */
  std::vector<array> append(int length, int kept, int max_length, const std::vector<array> &rows);
};

struct Snapshot {
  int length;
  std::vector<std::optional<array>> states;
};

struct Session {
  int64_t id;
  int max_length, length = 0;
  std::vector<RowCache> rows;                 /* [caches] */
  std::vector<std::optional<array>> states;   /* [caches], float; none before the first row */
  std::vector<Snapshot> snapshots;
  std::vector<LayerEdit> edits;
  int greedy = 0; /* token with the greatest logit of its last row that had logits */

  const LayerEdit *edit(int layer) const;
};

/** Rows that a cache keeps: its window and those that may be cut off again. */
int kept_rows(const cache_shape &shape, int max_length);

/** The sessions of a program, and the memory that they may have. */
class Sessions {
 public:
  Sessions(const es_program &p, const Loader &loader) : program(p), loader(loader) {}
  int64_t row_bytes() const;
  int64_t state_bytes() const;
  int64_t rows_free() const;
  /** Counts the weights and what sessions may grow to as promised; to be called once the loader knows its weights. */
  void promise() { promised.set(loader.resident_bytes() + reserved_bytes()); }
  Session *find(int64_t id) const;
  void open(int64_t id, int max_length, words edits);
  void copy(int64_t from, int64_t to, int length);
  void snapshot(int64_t id);
  void drop_snapshot(int64_t id, int length);
  void drop_rows(int64_t id, int length);
  void close(int64_t id);

 private:
  void add(std::unique_ptr<Session> session);
  std::unique_ptr<Session> fresh(int64_t id, int max_length) const;
  int64_t session_bytes(int max_length) const;
  int64_t reserved_bytes() const;
  void require_free(int64_t bytes, const std::string &what) const;
  const es_program &program;
  const Loader &loader;
  std::vector<std::unique_ptr<Session>> all;
  Promise promised;
};

} // namespace espalier
