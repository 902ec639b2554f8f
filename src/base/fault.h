// fault(): what the machine did wrong, as an exception with errno and what was attempted.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace renga {

[[noreturn]] inline void fault(int error, const std::string& attempted) {
  throw std::system_error(error, std::generic_category(), attempted);
}
[[noreturn]] inline void fault(const std::string& attempted) { fault(errno, attempted); }

}  // namespace renga
