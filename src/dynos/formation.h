// Formation: how many dynos of each process type an app should run, and of which size. Rows follow
// the slug of the current release: a new type starts at 0 (web at 1 on the first deploy), one that
// is gone is dropped. Nothing is started here: the reconciler is told. Blocks on the store; safe
// from any thread.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dynos/sizes.h"
#include "releases/releases.h"

namespace renga::dynos {

struct Process {
  Id<Process> id;
  Id<apps::App> app;
  std::string type;
  std::string command;
  int quantity = 0;
  std::string size;
  Time created_at;
  Time updated_at;
  bool operator==(const Process&) const = default;
};

// One change, as asked for. `quantity`: "2", "+1" or "-1"; empty leaves it. `size`: any case; empty
// leaves it.
struct ScaleChange {
  std::string type;
  std::string quantity;
  std::string size;
};

// What the machine has for dynos.
struct Capacity {
  std::int64_t memory_bytes = 0;  // 0: nobody knows, and nothing is said or refused
  // Of it, what the dynos of all apps may be scaled to have at most; 0: any.
  int most_percent = 0;
};

class Formation {
 public:
  // `sizes` is borrowed.
  Formation(store::Database& database, Clock& clock, const Sizes& sizes = Sizes::usual(),
            Capacity capacity = {})
      : database_(database), clock_(clock), sizes_(sizes), capacity_(capacity) {}
  const Sizes& sizes() const { return sizes_; }
  void on_change(std::function<void(const Id<apps::App>&)> callback) {
    changed_ = std::move(callback);
  }

  // In the order web, then by name. `release` is among them where the Procfile has it, at 0.
  std::vector<Process> all(const Id<apps::App>& app);
  Result<Process> find(const Id<apps::App>& app, std::string_view identity);  // id or type

  // All or nothing. Kind::not_found: a type that is not in the Procfile; Kind::invalid: a quantity
  // that is no number, below 0 or above 100; no such size; more memory than Capacity lets dynos
  // have, where that is more than before. Returns the processes that were named, as they are now.
  Result<std::vector<Process>> scale(const Id<apps::App>& app,
                                     std::span<const ScaleChange> changes);

  // A sentence, where the dynos of all apps may use more memory than the machine has.
  std::optional<std::string> overcommitted();

  // Makes the rows fit the process types of a release that becomes current. Idempotent.
  void follow(const Id<apps::App>& app, const releases::ProcessTypes& types);

 private:
  std::int64_t memory_wanted();  // by the dynos of all apps, when each uses all it may

  store::Database& database_;
  Clock& clock_;
  const Sizes& sizes_;
  Capacity capacity_;
  std::function<void(const Id<apps::App>&)> changed_ = [](const Id<apps::App>&) {};
};

}  // namespace renga::dynos
