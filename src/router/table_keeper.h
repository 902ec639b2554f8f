// TableKeeper: takes the tables and changes that control sends, on a thread of its own: makes the
// proxy work by them, and keeps them for the next start. The table is a file; changes are appended
// to another, until that is as large as the table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "router/kept_files.h"
#include "router/proxy.h"

namespace renga::router {

class TableKeeper {
 public:
  // Called on a thread of the keeper's, one at a time; must not wait.
  struct Events {
    std::function<void()> on_table = [] {};  // the proxy has been given another
    // It was a change of another table than ours. Nothing is taken until a whole one comes.
    std::function<void()> on_gap = [] {};
    // The change had been taken before: what the proxy tells of this table it has told already.
    std::function<void(std::uint64_t generation)> on_known = [](std::uint64_t) {};
  };

  // Both outlive it. By now the proxy works by what was kept last, if anything was.
  TableKeeper(Proxy& proxy, const KeptFiles& files, Events events);
  ~TableKeeper();  // what has not been begun is not taken
  TableKeeper(const TableKeeper&) = delete;
  TableKeeper& operator=(const TableKeeper&) = delete;

  // JSON (table.h), in the order of the calls. From any thread; these return at once.
  void take_table(std::string json);
  void take_change(std::string json);
  void drop_old_tables();
  // `then` is called, on a thread of the keeper's, when all that has come so far is dealt with.
  void when_done(std::function<void()> then);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::router
