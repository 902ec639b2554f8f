// How `renga local:ps` and `renga local:restart` reach a `renga local` that runs in the same
// directory: a unix socket in a directory that is this user's alone. One packet asks, one answers.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "local/env_file.h"
#include "os/fd.h"

namespace renga::local {

// Where they are: $XDG_RUNTIME_DIR/renga-local, else /tmp/renga-local-UID.
std::filesystem::path control_directory(const Environment& environment);

class Control {
 public:
  static constexpr std::size_t most_callers = 16;
  static constexpr std::size_t longest_packet = 32u << 10;  // bytes

  // Throws std::system_error where there can be no such socket, for one because the directory is
  // another user's.
  Control(const std::filesystem::path& sockets, const std::filesystem::path& directory);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  std::vector<int> descriptors() const;  // to be polled for reading
  // Answers whoever has asked; never waits.
  void serve(const std::function<std::string(std::string_view)>& answer);

 private:
  std::filesystem::path path_;
  os::Fd listener_;
  std::vector<os::Fd> callers_;
};

// Asks every `renga local` of the directory: one answer each. Kind::not_found: none runs.
Result<std::vector<std::string>> ask(const std::filesystem::path& sockets,
                                     const std::filesystem::path& directory,
                                     std::string_view request);

}  // namespace renga::local
