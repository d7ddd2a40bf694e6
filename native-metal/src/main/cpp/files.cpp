#include "load.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace espalier {

enum { AT_ONCE = 16 << 20 };

Files::~Files() {
  for (int descriptor : descriptors) {
    if (descriptor >= 0) {
      close(descriptor);
    }
  }
}

void Files::read_at(int file, int64_t offset, int64_t bytes, uint8_t *into) {
  int &descriptor = descriptors[static_cast<size_t>(file)];
  const char *path = program.files[file].path;
  if (descriptor < 0) {
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
      throw Failure(ES_FAILED, std::string("the weights' file ") + path + " cannot be opened: " + std::strerror(errno));
    }
#ifdef F_NOCACHE
    fcntl(descriptor, F_NOCACHE, 1);
#endif
  }
  for (int64_t done = 0; done < bytes;) {
    ssize_t some = pread(descriptor, into + done, static_cast<size_t>(bytes - done), offset + done);
    if (some < 0 && errno == EINTR) {
      continue;
    }
    if (some <= 0) {
      throw Failure(ES_FAILED, std::string("the weights' file ") + path
          + (some == 0 ? " was cut short while it was read: fetch it again" : std::string(" cannot be read: ") + std::strerror(errno)));
    }
    done += some;
  }
#ifdef POSIX_FADV_DONTNEED
  posix_fadvise(descriptor, offset, bytes, POSIX_FADV_DONTNEED);
#endif
}

void Files::read(const weight &w, const Rows &rows, uint8_t *into) {
  const region &r = *rows.from;
  int file = 0;
  while (r.first < program.files[file].bytes || r.first >= program.files[file].bytes + program.files[file].size) {
    file++; /* the reader of the program has found it in one of them */
  }
  int64_t base = r.first - program.files[file].bytes + rows.skipped;
  auto at = [&](int64_t i) { return base + (r.skipped + weight_stored_row(&w, rows.first + i)) * r.row_bytes; };
  for (int64_t i = 0; i < rows.count;) {
    int64_t offset = at(i), distance = i + 1 < rows.count ? at(i + 1) - offset : rows.kept, end = i + 1;
    while (end < rows.count && at(end) == offset + (end - i) * distance && (end - i + 1) * distance <= AT_ONCE) {
      end++;
    }
    uint8_t *to = into + i * rows.kept;
    if (distance == rows.kept) {
      read_at(file, offset, (end - i) * rows.kept, to);
    } else if (distance > 0 && distance <= 4 * rows.kept) { /* what lies between is less than what a read of its own costs */
      bounce.resize(static_cast<size_t>((end - i - 1) * distance + rows.kept));
      read_at(file, offset, static_cast<int64_t>(bounce.size()), bounce.data());
      for (int64_t k = 0; k < end - i; k++) {
        std::memcpy(to + k * rows.kept, bounce.data() + k * distance, static_cast<size_t>(rows.kept));
      }
    } else {
      end = i + 1;
      read_at(file, offset, rows.kept, to);
    }
    i = end;
  }
}

} // namespace espalier
