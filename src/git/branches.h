// Branches: where the branches that are deployed stand in an app's repository, read and moved by
// git itself. Private to this room. Safe from any thread; every call runs git, for milliseconds.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/app.h"

namespace renga::git {

// A branch that a push wants to move, and where the push found it.
struct Move {
  std::string branch;  // "refs/heads/main"
  std::string from;    // a commit; zeros when the branch was not there
};

class Branches {
 public:
  // `directory` has the repositories, <app id>.git.
  explicit Branches(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path repository(const Id<apps::App>& app) const;
  // Are all of them where the push found them?
  bool unmoved(const Id<apps::App>& app, const std::vector<Move>& moves) const;
  // Moves each that is still where the push found it. False when one was not, or when git has no
  // such commit.
  bool move(const Id<apps::App>& app, const std::vector<Move>& moves, const std::string& to) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace renga::git
