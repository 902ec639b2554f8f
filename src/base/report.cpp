#include "base/report.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

namespace renga {

void report(std::string_view part, std::string_view message) {
  const auto line = fmt::format("{} {}: {}\n", rfc3339_micros(SystemClock().now()), part,
                                text::printable(message));
  // One write a line, so that lines of several threads and processes do not mix.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace renga
