// KeptSource: what an app's last push had in it, DIR/builds/sources/<app id>, kept for the next
// one, which brings little that is new: only that is written. Builds see it below an overlay, so
// that nothing in it changes while one runs; its files are links to the objects of the app's slugs
// (releases/), and take the disk nothing. Nothing of it is synced: after a boot of the host it is
// made anew, and so it is when control was killed on the way. Private to this room; of one build at
// a time, as an app has them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace renga::builds {

// A commit of a repository, as it is asked of git.
struct Commit {
  std::filesystem::path repository;
  std::string id;
  std::chrono::seconds time{};  // that git may take
  int called_off = -1;          // a descriptor that becomes readable when git is to stop
};

class KeptSource {
 public:
  explicit KeptSource(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path tree() const { return path_ / "tree"; }
  // Makes tree() what the commit has; it is_kept() then, or good for this build alone.
  // Kind::too_large: more than a source may have; Kind::conflict: it was called off, or took too
  // long.
  Result<void> check_out(const Commit& commit);
  bool is_kept() const { return state().has_value(); }
  // Moves tree() to where nothing is; it is not kept any more.
  void give_away(const std::filesystem::path& to);
  // The next check_out() makes all of it anew; a build that sees it goes on.
  void forget();
  void remove();

 private:
  struct State {
    std::string commit;
    std::int64_t grown = 0;  // bytes that came since all of it was counted
  };
  std::filesystem::path state_file() const { return path_ / "state"; }
  std::optional<State> state() const;
  void note(const State& state) const;
  // False where all of it has to be made anew.
  bool advance(const Commit& commit) const;

  std::filesystem::path path_;
};

}  // namespace renga::builds
