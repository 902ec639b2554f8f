// Records: the dynos of engines/local as the store keeps them. Safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dynos/dyno.h"
#include "store/database.h"

namespace renga::dynos {

enum class Asked { nothing, replace, stop };

struct Record {
  Dyno dyno;
  bool one_off = false;
  int port = 0;
  std::string log_secret;
  std::string output_stream;
  std::optional<Time> expires_at;
  Asked asked = Asked::nothing;
  bool launched = false;
  std::string boot;  // the kernel's boot id when it was written
  int crashes = 0;
  Time retry_at;
  std::optional<Time> ended_at;
  bool cleared = false;
  bool attached = false;  // its streams are control's: gone with it
};

class Records {
 public:
  explicit Records(store::Database& database) : database_(database) {}

  void insert(const Record& record);
  // All that may change: state, exit status, launched, crashes, retry_at, ended_at, cleared. What
  // people asked for is theirs: see ask().
  void update(const Record& record);
  void erase(const Id<Dyno>& id);
  void erase_all(const Id<apps::App>& app);
  // One-offs that ended before this.
  void purge(Time before);
  store::Transaction begin() { return database_.begin(); }

  std::vector<Record> all();                             // in the order of their creation
  std::vector<Record> living(const Id<apps::App>& app);  // not told to stop; formation first
  std::optional<Record> find(const Id<Dyno>& id);

  // Marks formation dynos of a type (and, if not 0, a number; empty: all types).
  void ask(const Id<apps::App>& app, std::string_view type, int number, Asked what);
  void ask(const Id<Dyno>& one_off, Asked what);
  Asked asked(const Id<Dyno>& id);

 private:
  store::Database& database_;
};

}  // namespace renga::dynos
