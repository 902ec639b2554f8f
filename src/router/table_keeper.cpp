#include "router/table_keeper.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <thread>

#include "base/locked.h"
#include "base/report.h"

namespace renga::router {

namespace {

constexpr const char* table_file = "routes.json";
// Each change behind its size, 4 bytes in the machine's order.
constexpr const char* changes_file = "routes.changes";
constexpr std::size_t few_changes = 1 << 20;  // bytes: not worth a table
// Making a large table must not take the processor from those who serve.
constexpr int niceness = 5;
// When the files could not be written, to try it again by a whole table.
constexpr std::chrono::minutes keep_again{1};

std::string with_size(std::string_view change) {
  const auto size = static_cast<std::uint32_t>(change.size());
  std::string record(reinterpret_cast<const char*>(&size), sizeof size);
  return record.append(change);
}

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
  template <class Work>
  void keep(Work work);
};

void TableKeeper::State::post(std::function<void()> work) {
  queue.lock()->work.push_back(std::move(work));
  changed.notify_all();
}

void TableKeeper::State::run() {
  // Of this thread alone, as Linux has it.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
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
  state_->post([state = state_.get(), json = std::move(json)] { state->take_table(json); });
}

void TableKeeper::take_change(std::string json) {
  state_->post([state = state_.get(), json = std::move(json)] { state->take_change(json); });
}

void TableKeeper::drop_old_tables() {
  state_->post([state = state_.get()] { state->proxy.drop_old_tables(); });
}

void TableKeeper::when_done(std::function<void()> then) { state_->post(std::move(then)); }

}  // namespace renga::router
