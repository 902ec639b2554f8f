#include "router/table_keeper.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <thread>
#include <utility>

#include "base/locked.h"
#include "base/report.h"

namespace renga::router {

namespace {

constexpr const char* table_file = "routes.json";
// Each change behind its size, 4 bytes in the machine's order.
constexpr const char* changes_file = "routes.changes";
constexpr std::size_t few_changes = 1 << 20;  // bytes: not worth a table
// A change must not take the processor from those who serve, but a deploy waits for it.
constexpr int behind_the_loops = 5;
// A whole table is a second's work where there are a hundred thousand routes, and nearly all of it
// is what the one before said: it takes what nobody else wants.
constexpr int behind_everybody = 19;
// When the files could not be written, to try it again by a whole table.
constexpr std::chrono::minutes keep_again{1};

std::string with_size(std::string_view change) {
  const auto size = static_cast<std::uint32_t>(change.size());
  std::string record(reinterpret_cast<const char*>(&size), sizeof size);
  return record.append(change);
}

// Of the calling thread alone, as Linux has it.
void be_nice(int niceness) { ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness); }

}  // namespace

struct TableKeeper::State {
  Proxy& proxy;
  const KeptFiles& files;
  const Events events;

  struct Queue {
    std::deque<std::function<void()>> work;
    bool stopping = false;
  };
  Locked<Queue> queue;
  std::condition_variable changed;

  // The rest belongs to the thread.
  bool complete = true;  // the files say what the proxy works by
  std::chrono::steady_clock::time_point failed_at;
  bool behind = false;         // since a gap; a table is asked for
  bool much_is_old = false;    // a whole table has been taken since old ones were dropped
  std::size_t table_size = 0;  // bytes, of the files
  std::size_t changes_size = 0;
  std::thread thread;

  State(Proxy& p, const KeptFiles& f, Events e) : proxy(p), files(f), events(std::move(e)) {}

  void post(std::function<void()> work);
  void run();
  void read();
  void take_table(const std::string& json);
  void take_change(const std::string& json);
  void ask_for_table();
  void drop_old_tables();
  static void without_hurry(const std::function<void()>& work);
  template <class Work>
  void keep(Work work);
};

void TableKeeper::State::post(std::function<void()> work) {
  queue.lock()->work.push_back(std::move(work));
  changed.notify_all();
}

void TableKeeper::State::run() {
  be_nice(behind_the_loops);
  while (true) {
    std::function<void()> work;
    {
      auto now = queue.lock();
      now.wait(changed, [&] { return now->stopping || !now->work.empty(); });
      if (now->stopping) return;
      work = std::move(now->work.front());
      now->work.pop_front();
    }
    try {
      work();
    } catch (const std::exception& wrong) {
      report("router", std::string("the route table was not taken: ") + wrong.what());
    }
  }
}

// Niceness cannot be taken back, so this is done by a thread that ends with it.
void TableKeeper::State::without_hurry(const std::function<void()>& work) {
  std::exception_ptr wrong;
  std::thread([&] {
    be_nice(behind_everybody);
    try {
      work();
    } catch (...) {
      wrong = std::current_exception();
    }
  }).join();
  if (wrong) std::rethrow_exception(wrong);
}

// The changes behind a table that is newer than them are what a crash has left between the two.
void TableKeeper::State::read() {
  const auto kept = files.read(table_file);
  if (!kept) return;
  auto table = parse_table(*kept);
  if (!table) return report("router", table.error().message);
  table->retiring.clear();
  proxy.set_table(*std::move(table));

  const auto changes = files.read(changes_file).value_or("");
  for (std::string_view left = changes; left.size() > sizeof(std::uint32_t);) {
    std::uint32_t size = 0;
    std::memcpy(&size, left.data(), sizeof size);
    left.remove_prefix(sizeof size);
    if (left.size() < size) return;
    auto change = parse_change(left.substr(0, size));
    left.remove_prefix(size);
    if (!change) return report("router", change.error().message);
    if (change->generation <= proxy.table()->generation()) continue;
    change->retiring.clear();
    if (!proxy.change_table(*std::move(change))) return;
  }
}

template <class Work>
void TableKeeper::State::keep(Work work) {
  try {
    work();
  } catch (const std::exception& wrong) {
    complete = false;
    failed_at = std::chrono::steady_clock::now();
    report("router",
           std::string("the table could not be kept for the next start: ") + wrong.what());
  }
}

void TableKeeper::State::take_table(const std::string& json) {
  auto table = parse_table(json);
  if (!table) return report("router", table.error().message);
  proxy.set_table(*std::move(table));
  behind = false;
  much_is_old = true;
  events.on_table();
  complete = true;
  keep([&] {
    files.write(table_file, json);
    files.remove(changes_file);
  });
  table_size = json.size();
  changes_size = 0;
}

void TableKeeper::State::take_change(const std::string& json) {
  if (behind) return;
  auto change = parse_change(json);
  if (!change) {
    report("router", change.error().message);
    return ask_for_table();
  }
  if (change->generation <= proxy.table()->generation()) {
    return events.on_known(proxy.table()->generation());
  }
  if (!proxy.change_table(*std::move(change))) return ask_for_table();
  events.on_table();
  // Behind a change that is missing no other is of use.
  if (!complete) {
    if (std::chrono::steady_clock::now() - failed_at > keep_again) ask_for_table();
    return;
  }
  keep([&] { files.append(changes_file, with_size(json)); });
  changes_size += json.size();
  if (changes_size > std::max(few_changes, table_size)) ask_for_table();
}

void TableKeeper::State::drop_old_tables() {
  if (std::exchange(much_is_old, false)) {
    without_hurry([this] { proxy.drop_old_tables(); });
  } else {
    proxy.drop_old_tables();
  }
}

void TableKeeper::State::ask_for_table() {
  behind = true;
  events.on_gap();
}

TableKeeper::TableKeeper(Proxy& proxy, const KeptFiles& files, Events events)
    : state_(std::make_unique<State>(proxy, files, std::move(events))) {
  auto& state = *state_;
  state.read();
  state.thread = std::thread([&state] { state.run(); });
}

TableKeeper::~TableKeeper() {
  state_->queue.lock()->stopping = true;
  state_->changed.notify_all();
  state_->thread.join();
}

void TableKeeper::take_table(std::string json) {
  state_->post([state = state_.get(), json = std::move(json)] {
    State::without_hurry([&] { state->take_table(json); });
  });
}

void TableKeeper::take_change(std::string json) {
  state_->post([state = state_.get(), json = std::move(json)] { state->take_change(json); });
}

void TableKeeper::drop_old_tables() {
  state_->post([state = state_.get()] { state->drop_old_tables(); });
}

void TableKeeper::when_done(std::function<void()> then) { state_->post(std::move(then)); }

}  // namespace renga::router
