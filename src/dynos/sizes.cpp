#include "dynos/sizes.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace renga::dynos {

std::span<const Size> sizes() {
  static const std::array<Size, 9> all{{
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a01", "Eco", 0.5, 1, false, 256},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a02", "Basic", 0.5, 1, false, 256},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a03", "Standard-1X", 0.5, 1, false, 256},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a04", "Standard-2X", 1, 2, false, 512},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a05", "Performance-M", 2.5, 12, true, 16384},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a06", "Performance-L", 14, 50, true, 32768},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a07", "Performance-L-RAM", 30, 24, true, 32768},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a08", "Performance-XL", 62, 50, true, 32768},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a09", "Performance-2XL", 126, 100, true, 32768},
  }};
  return all;
}

const Size* find_size(std::string_view identity) {
  const auto all = sizes();
  const auto found = std::ranges::find_if(all, [&](const Size& size) {
    return text::equals_ignoring_case(size.name, identity) ||
           text::equals_ignoring_case(size.id, identity);
  });
  return found == all.end() ? nullptr : &*found;
}

const Size& default_size() { return *find_size("Standard-1X"); }

sandbox::Limits Size::limits() const {
  constexpr double bytes_per_gb = 1024.0 * 1024 * 1024;
  sandbox::Limits limits;
  limits.memory_bytes = static_cast<std::int64_t>(memory_gb * bytes_per_gb);
  limits.cpu_weight = std::min(compute * 100, 10'000);  // cgroup v2's upper limit
  limits.pids = pids;
  return limits;
}

}  // namespace renga::dynos
