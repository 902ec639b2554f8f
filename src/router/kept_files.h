// What a router keeps for the next one: files in a directory that is its user's alone, so that
// nothing of root's is ever opened where a router that was taken over could have put a link.
// Reached by its descriptor: the user may pass none of the directories above.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "os/fd.h"

namespace renga::router {

class KeptFiles {
 public:
  // Makes `directory`, and gives it to `user` (0: it stays the caller's).
  KeptFiles(const std::filesystem::path& directory, unsigned user);

  std::optional<std::string> read(const std::string& name) const;
  // Whole or not at all, also when the machine goes down. Throws.
  void write(const std::string& name, std::string_view text) const;
  // At its end, on the disk when it returns; what a crash leaves of it may be a part. Throws.
  void append(const std::string& name, std::string_view text) const;
  void remove(const std::string& name) const;  // no-op when it is not there

 private:
  os::Fd directory_;
};

}  // namespace renga::router
