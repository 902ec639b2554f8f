// Commits: a death at any commit, for tests of crashes. What opens a store while this lives has
// each of its commits counted and named by the tables that it changes; the one it is to die at
// fails before it is durable, and so does every later one until revive(): as after kill -9, whoever
// tries to go on all the same leaves nothing behind. Other things that outlive a crash, such as
// what somebody else was told, are steps of the same count by step(). One at a time, for one
// thread.
#pragma once

#include <sqlite3.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace renga::store {

class Commits {
 public:
  struct Killed {};

  Commits() {
    if (living_ != nullptr) throw std::logic_error("commits are counted by one at a time");
    living_ = this;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(&Commits::opened));
  }
  ~Commits() {
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&Commits::opened));
    living_ = nullptr;
  }
  Commits(const Commits&) = delete;
  Commits& operator=(const Commits&) = delete;

  // The `number`-th step from now on is the last one, and is not taken; 0: none is.
  void die_at(std::size_t number) {
    steps_.clear();
    last_ = number;
  }
  // Whether it has died since; if so, it lives on.
  bool revive() {
    if (dead_) last_ = 0;
    return std::exchange(dead_, false);
  }
  // Since die_at(): "commit addons, addon_attachments".
  const std::vector<std::string>& steps() const { return steps_; }

  void step(std::string name) {
    if (!lives_through(std::move(name))) throw Killed();
  }

 private:
  bool lives_through(std::string name) {
    if (dead_) return false;
    steps_.push_back(std::move(name));
    dead_ = steps_.size() == last_;
    return !dead_;
  }

  static int opened(sqlite3* connection, char**, const sqlite3_api_routines*) {
    sqlite3_update_hook(connection, &Commits::changed, living_);
    sqlite3_commit_hook(connection, &Commits::committing, living_);
    sqlite3_rollback_hook(connection, &Commits::undone, living_);
    return SQLITE_OK;
  }
  static void changed(void* self, int, const char*, const char* table, sqlite3_int64) {
    auto& tables = static_cast<Commits*>(self)->tables_;
    if (tables.find(table) == std::string::npos)
      tables += tables.empty() ? table : std::string(", ") + table;
  }
  static int committing(void* self) {
    auto& commits = *static_cast<Commits*>(self);
    // A transaction that changed nothing is no step.
    if (commits.tables_.empty()) return 0;
    return commits.lives_through("commit " + std::exchange(commits.tables_, {})) ? 0 : 1;
  }
  static void undone(void* self) { static_cast<Commits*>(self)->tables_.clear(); }

  static inline Commits* living_ = nullptr;
  std::vector<std::string> steps_;
  std::size_t last_ = 0;
  bool dead_ = false;
  std::string tables_;
};

}  // namespace renga::store
