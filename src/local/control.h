// How `renga local:ps`, `local:restart` and `local:attach` reach a `renga local` that runs in the
// same directory: a unix socket in a directory that is this user's alone. One packet asks, one
// answers; an answer may hand over a descriptor, which the caller has until it leaves.
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
  struct Answer {
    std::string text;
    int descriptor = -1;  // handed over with it, if there is one
  };
  // Answers whoever has asked; never waits. `holder` numbers who gets a descriptor, and is told
  // again when that one has left.
  void serve(const std::function<Answer(std::string_view request, int holder)>& answer,
             const std::function<void(int holder)>& left);

 private:
  struct Caller {
    os::Fd fd;
    int holder = 0;
  };
  bool is_done(Caller& caller, const std::function<Answer(std::string_view, int)>& answer,
               const std::function<void(int)>& left);

  std::filesystem::path path_;
  os::Fd listener_;
  std::vector<Caller> callers_;
  int holders_ = 0;
};

// Asks every `renga local` of the directory: one answer each. Kind::not_found: none runs.
Result<std::vector<std::string>> ask(const std::filesystem::path& sockets,
                                     const std::filesystem::path& directory,
                                     std::string_view request);

// What a `renga local` handed over, for as long as `caller` is open.
struct Handed {
  os::Fd caller;
  os::Fd descriptor;
  std::string text;
};
// Kind::not_found: none runs, or none knows what was asked for; else its own refusal.
Result<Handed> ask_for_descriptor(const std::filesystem::path& sockets,
                                  const std::filesystem::path& directory, std::string_view request);

}  // namespace renga::local
