// A disk without room: the one fault of the machine that a user can do something about. Private to
// this room.
#pragma once

#include <cerrno>
#include <system_error>

namespace renga::builds {

inline constexpr const char* full_disk =
    "The disk of this server is full, or nearly, and the build was stopped.";
inline constexpr const char* free_some_space =
    "Ask its operator to free some space, and push again.";

inline bool is_full_disk(const std::exception& fault) {
  const auto* system = dynamic_cast<const std::system_error*>(&fault);
  return system != nullptr &&
         (system->code().value() == ENOSPC || system->code().value() == EDQUOT);
}

}  // namespace renga::builds
