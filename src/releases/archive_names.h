// Names inside an archive, as lists of plain components. Private to this room.
#pragma once

#include <locale.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "base/text.h"

namespace renga::releases {

// Deeper trees are refused on both ways, so that no walk needs more descriptors or stack than it
// has.
inline constexpr std::size_t deepest = 200;

// "./app//bin/web" is {"app", "bin", "web"}. Nothing for an absolute name or one with "..".
inline std::optional<std::vector<std::string>> components(std::string_view name) {
  if (name.starts_with('/')) return std::nullopt;
  std::vector<std::string> parts;
  for (const auto part : text::split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    parts.emplace_back(part);
  }
  return parts;
}

// Whether a relative link in a directory `depth` levels below the top climbs over the top. By the
// letters only: nothing is safe because of this answer, since no link is ever followed.
inline bool leads_out(std::size_t depth, std::string_view link) {
  if (link.starts_with('/')) return false;
  for (const auto part : text::split(link, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      ++depth;
    } else if (depth-- == 0) {
      return true;
    }
  }
  return false;
}

// libarchive translates names to the thread's locale, and in the "C" locale it loses every name
// that is not ASCII. While one of these lives, the thread's names are UTF-8.
class Utf8Names {
 public:
  Utf8Names() {
    // Read-only and made once: glibc shares locales between threads under a lock of its own.
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 == nullptr) fault(ENOENT, "use the locale C.UTF-8");
    before_ = uselocale(utf8);
  }
  ~Utf8Names() { uselocale(before_); }
  Utf8Names(const Utf8Names&) = delete;
  Utf8Names& operator=(const Utf8Names&) = delete;

 private:
  locale_t before_;
};

}  // namespace renga::releases
