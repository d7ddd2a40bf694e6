/* Reads exactly the bytes of the weights into MLX's memory: nothing is mapped, and nothing stays in the page cache. */
#pragma once

#include <chrono>
#include <deque>
#include <map>

#include "operand.h"

namespace espalier {

/** What rows are multiplied as: in the type of the activations, or, where a rounded result would choose other rows or experts, as floats. */
enum class Exactness { AS_ACTIVATIONS, FLOAT };

/** Refuses what MLX has no format for. */
Kind kind_of(const es_program &p, const weight &w, Exactness exactness);
void require_operand(const weight &w, const Kind &kind);
int64_t operand_bytes(const Kind &kind, int64_t values);
/** Types as they come from the file, before they become those of the kind. */
mx::Dtype stored_scales(const format &f);
mx::Dtype stored_values(const format &f);

/** Blocks of GGUF, [columns / 32] of them, as rows of MLX's: the same numbers, exactly. */
void regroup(int block, const uint8_t *from, int64_t blocks, uint8_t *values, uint8_t *scales, float *biases);

/** Stored rows of one region. */
struct Rows {
  const region *from;
  int64_t first, count; /* stored rows of the weight */
  int64_t skipped, kept; /* bytes of each */
};

/** The files of a program, by descriptors that leave nothing in the page cache. */
class Files {
 public:
  explicit Files(const es_program &p) : program(p), descriptors(static_cast<size_t>(p.file_count), -1) {}
  ~Files();
  /** @param into [count][kept] */
  void read(const weight &w, const Rows &rows, uint8_t *into);

 private:
  void read_at(int file, int64_t offset, int64_t bytes, uint8_t *into);
  const es_program &program;
  std::vector<int> descriptors;
  std::vector<uint8_t> bounce;
};

/** All operands of a program, read a slice of time at a time. */
class Loader {
 public:
  explicit Loader(const es_program &p) : program(p), files(std::in_place, p) {}
  /** One weight, or two of one format and width whose rows are to lie one after the other, as gate and up. */
  const Operand *want(std::vector<const weight *> parts, Exactness exactness = Exactness::AS_ACTIVATIONS);
  /** Whether two weights can be one operand. */
  bool go_together(const weight &a, const weight &b) const;
  int64_t resident_bytes() const { return total + vectors; }
  /** Counts what no operand has: vectors, which the reader of the program has decoded. */
  void count_vectors();
  /** Reads on until `end`; returns the bytes that are ready. */
  int64_t more(std::chrono::steady_clock::time_point end);

 private:
  struct Wanted {
    std::vector<const weight *> parts;
    Exactness exactness;
    Operand operand;
    int64_t bytes;
  };
  /** Memory of the operand that is read, [N][stored rows][bytes]. */
  struct Reading {
    mx::allocator::Data values, scales, biases;
    int matrix = 0;
    size_t part = 0;
    int64_t row = 0; /* of the part, next to be read */
  };
  void begin(Wanted &wanted);
  bool read_some(Wanted &wanted);
  void finish(Wanted &wanted);

  const es_program &program;
  std::optional<Files> files; /* until all is read */
  std::deque<Wanted> all;
  std::optional<Reading> reading;
  size_t next = 0;
  int64_t total = 0, ready = 0, vectors = 0;
};

} // namespace espalier
