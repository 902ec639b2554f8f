// HeldLines: what was read from dynos' rings and is not in the log yet. A ring's memory is released
// once the lines in it are on the disk, so that a control that is killed meanwhile loses none of
// them: the next one reads them again. Safe from any thread.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>

#include "base/locked.h"
#include "logs/log_store.h"
#include "sandbox/log_ring.h"

namespace renga::dynos {

class HeldLines {
 public:
  // The ring's lines before `place` are in the log when this ticket is written. Tickets grow.
  void add(std::shared_ptr<sandbox::LogRing> ring, std::uint32_t place, logs::Ticket ticket) {
    auto all = all_.lock();
    all->waiting.push_back({std::move(ring), place, ticket});
    release(*all);
  }
  void written(logs::Ticket until) {
    auto all = all_.lock();
    all->written = std::max(all->written, until);
    release(*all);
  }

 private:
  struct Held {
    std::shared_ptr<sandbox::LogRing> ring;
    std::uint32_t place = 0;
    logs::Ticket ticket = 0;
  };
  struct All {
    std::deque<Held> waiting;
    logs::Ticket written = 0;
  };
  static void release(All& all) {
    for (; !all.waiting.empty() && all.waiting.front().ticket <= all.written;
         all.waiting.pop_front())
      sandbox::LogRingReader::release(*all.waiting.front().ring, all.waiting.front().place);
  }

  Locked<All> all_;
};

}  // namespace renga::dynos
