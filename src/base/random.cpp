#include "base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "base/text.h"

namespace renga {

void fill_random(std::span<unsigned char> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

std::string random_hex(std::size_t count) {
  std::vector<unsigned char> bytes(count);
  fill_random(bytes);
  return text::hex(bytes);
}

std::uint64_t random_below(std::uint64_t bound) {
  // Values past the last whole multiple of the bound would favour small results; draw again.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  for (;;) {
    std::uint64_t value = 0;
    fill_random({reinterpret_cast<unsigned char*>(&value), sizeof value});
    if (value < limit) return value % bound;
  }
}

}  // namespace renga
