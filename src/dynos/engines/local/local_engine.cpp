// engines/local: the keeper on a thread of its own. That thread sleeps in ppoll(2) on the ends of
// dynos, on the keeper's next time and on an eventfd that others ring after they have queued
// something.
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <future>
#include <list>
#include <thread>

#include "base/fault.h"
#include "base/locked.h"
#include "base/random.h"
#include "base/report.h"
#include "base/text.h"
#include "dynos/engines/engines.h"
#include "dynos/engines/local/attach_ends.h"
#include "dynos/engines/local/boot.h"
#include "dynos/engines/local/disk_guard.h"
#include "dynos/engines/local/keeper.h"
#include "dynos/engines/local/log_listener.h"
#include "dynos/engines/local/port_probe.h"

namespace renga::dynos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t most_commands = 10'000;
constexpr std::ptrdiff_t most_one_offs = 50;
constexpr seconds launch_limit{90};  // three times the spawner's own limit
constexpr seconds forget_limit{60};
constexpr seconds after_trouble{1};
constexpr milliseconds probe_limit{20};
constexpr milliseconds settle_limit{2'000};

std::unexpected<Error> unavailable() {
  return fail(Kind::unavailable, "The dyno engine is stopping or overloaded. Try again later.");
}

timespec timeout_until(std::optional<SteadyTime> next, SteadyTime now) {
  const Duration longest = seconds(60);
  const auto wait = std::clamp(next ? *next - now : longest, Duration(0), longest);
  return {wait.count() / 1'000'000, static_cast<long>(wait.count() % 1'000'000 * 1'000)};
}

class LocalEngine final : public Engine, public Sleep, private logs::Feeder {
 public:
  LocalEngine(store::Database& database, Clock& clock, apps::UidRanges& uids,
              releases::Slugs& slugs, sandbox::Spawner& spawner, logs::LogStore& logs,
              logs::OutputStreams& outputs, LocalEngineOptions options)
      : clock_(clock),
        uids_(uids),
        slugs_(slugs),
        logs_(logs),
        outputs_(outputs),
        options_(std::move(options)),
        records_(database),
        sandboxes_(sandboxes_of(spawner, options_.freezer)),
        keeper_(database, clock, *sandboxes_, needs(), options_),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) fault("eventfd");
    if (options_.freezer != nullptr) disk_guard_.emplace(disk_needs(*options_.freezer));
  }

  // Dynos run on.
  ~LocalEngine() override {
    inbox_.lock()->stop = true;
    nudge();
    if (thread_.joinable()) thread_.join();
    if (!listener_) return;
    // What was read is written and released, or the next control would read it again.
    listener_->stop();
    try {
      logs_.settle();
    } catch (const std::exception& trouble) {
      report("dynos", trouble.what());
    }
    logs_.set_feeder(nullptr);
  }

  void set_events(EngineEvents events) override { keeper_.set_events(std::move(events)); }

  void start() override {
    listener_.emplace(
        options_.log_socket,
        [this](const std::string& id, const std::string& secret) { return sender(id, secret); },
        [this](const LogListener::Sender& from, std::span<const sandbox::LogFrame> frames) {
          return deliver(from, frames);
        },
        [this] { return logs_.followed(); });
    logs_.set_feeder(this);
    keeper_.recover();
    thread_ = std::thread([this] { work(); });
  }

  void apply(const AppSpec& spec) override {
    keeper_.expect(spec);
    (*inbox_.lock()).applied.insert_or_assign(spec.app, spec);
    nudge();
  }

  void forget(const Id<apps::App>& app) override {
    inbox_.lock()->applied.erase(app);
    ask<bool>(forget_limit, [app](Keeper& keeper) {
      keeper.forget(app);
      return true;
    });
  }

  std::vector<Dyno> dynos(const Id<apps::App>& app) override {
    std::vector<Dyno> all;
    for (auto& record : records_.living(app)) all.push_back(std::move(record.dyno));
    return all;
  }

  std::vector<Id<releases::Release>> releases_in_use() override {
    std::vector<Id<releases::Release>> all;
    for (auto& record : records_.all())
      if (!record.ended_at) all.push_back(std::move(record.dyno.release));
    return all;
  }

  Endpoints endpoints(const Id<apps::App>& app) override { return keeper_.endpoints(app); }

  void retired(const Id<Dyno>& dyno) override {
    post([dyno](Keeper& keeper) { keeper.retired(dyno); });
  }

  bool idle(const Id<apps::App>& app) override { return keeper_.idle(app); }
  void requested(const Id<apps::App>& app) override { keeper_.requested(app); }
  void wake(const Id<apps::App>& app) override {
    post([app](Keeper& keeper) { keeper.wake(app); });
  }

  Result<void> restart(const Id<apps::App>& app, std::string_view which) override {
    return mark(app, which, Asked::replace);
  }
  Result<void> stop(const Id<apps::App>& app, std::string_view which) override {
    return mark(app, which, Asked::stop);
  }

  Result<Dyno> run(const AppSpec& spec, const OneOff& wanted) override {
    if (!spec.slug)
      return fail(Kind::conflict,
                  "Nothing was deployed to " + spec.app_name +
                      " yet, so there is nothing to run in. Push the app's code first.");
    const auto record = TRY(one_off_record(spec, wanted));
    if (record.launched || record.ended_at) return record.dyno;  // asked for again

    const auto launched = ask<Result<void>>(
        launch_limit,
        [spec, record, env = wanted.env](Keeper& keeper) { return keeper.run(spec, record, env); });
    if (!launched) return unavailable();
    TRY(*launched);
    const auto now = records_.find(record.dyno.id);
    return now ? now->dyno : record.dyno;
  }

  std::optional<Dyno> one_off(const Id<Dyno>& id) override {
    const auto record = records_.find(id);
    if (!record || !record->one_off) return std::nullopt;
    return record->dyno;
  }

  Result<Attachment> attach(const Id<Dyno>& id, std::optional<Window> terminal) override {
    auto [near, far] = terminal ? terminal_ends(*terminal) : pipe_ends();
    const auto shared = std::make_shared<Attachment>(std::move(far));
    const auto launched = ask<Result<void>>(launch_limit, [id, shared](Keeper& keeper) {
      return keeper.attach(id, {shared->input.get(), shared->output.get()});
    });
    if (!launched) return unavailable();
    TRY(*launched);
    return std::move(near);
  }

  void client_left(const Id<Dyno>& id) override {
    post([id](Keeper& keeper) { keeper.client_left(id); });
  }

  Result<Attachment> exec(const AppSpec& spec, const Id<Dyno>& id, const Exec& exec) override {
    auto [near, far] = exec.terminal ? terminal_ends(*exec.terminal) : pipe_ends();
    const auto shared = std::make_shared<Attachment>(std::move(far));
    auto leash = std::make_shared<os::Fd>();
    const auto begun =
        ask<Result<void>>(launch_limit, [spec, id, exec, shared, leash](Keeper& keeper) {
          return keeper.exec(spec, id, exec, {shared->input.get(), shared->output.get()}, *leash);
        });
    if (!begun) return unavailable();
    TRY(*begun);
    near.leash = std::move(*leash);
    return std::move(near);
  }

  void stop_everything() override {
    auto idle = std::make_shared<std::promise<void>>();
    auto done = idle->get_future();
    post([idle](Keeper& keeper) { keeper.stop_everything(); });
    inbox_.lock()->when_idle.push_back(idle);
    nudge();
    done.wait_for(options_.stop_limit + seconds(15));
  }

 private:
  using Command = std::function<void(Keeper&)>;
  struct Inbox {
    bool stop = false;
    std::map<Id<apps::App>, AppSpec> applied;  // the newest of each app
    std::vector<Command> commands;
    std::vector<std::shared_ptr<std::promise<void>>> when_idle;
  };

  KeeperNeeds needs() {
    KeeperNeeds needs;
    needs.slug_directory = [this](const Id<releases::Slug>& id) -> Result<std::string> {
      const auto slug = TRY(slugs_.find(id));
      return TRY(slugs_.directory(slug)).string();
    };
    needs.uid_base = [this](const Id<apps::App>& app) { return uids_.base(app); };
    needs.say = [this](const Id<apps::App>& app, const std::string& process,
                       const std::string& message) {
      logs_.append(app, {clock_.now(), "heroku", process, message});
    };
    needs.accepts = [](const std::string& address, int port) {
      return accepts_connections(address, port, probe_limit);
    };
    needs.settle_output = [this] { listener_->settle(settle_limit); };
    needs.watch_disk = [this](const std::string& dyno, const Size& size) {
      if (disk_guard_)
        disk_guard_->watch(dyno, size.name, size.memory_bytes() * options_.disk_per_memory);
    };
    needs.forget_disk = [this](const std::string& dyno) {
      if (disk_guard_) disk_guard_->forget(dyno);
    };
    return needs;
  }

  DiskGuardNeeds disk_needs(sandbox::Freezer& freezer) {
    const auto directory = freezer.directory();
    return {.directory = directory,
            .written = [&freezer](const std::string& dyno,
                                  std::int64_t enough) { return freezer.written(dyno, enough); },
            .over =
                [this](const std::string& dyno, const std::string& why) {
                  return post([dyno, why](Keeper& keeper) { keeper.expel({dyno}, why); });
                },
            .nearly_full = [directory] { return os::nearly_full(directory); },
            .removing = [&freezer] { return freezer.removing(); }};
  }

  std::optional<LogListener::Sender> sender(const std::string& id, const std::string& secret) {
    const auto record = records_.find({id});
    if (!record || record->log_secret != secret) return std::nullopt;
    return LogListener::Sender{record->dyno.app, record->dyno.name(), record->output_stream};
  }

  // logs::Feeder: the lines that lie in the dynos' rings.
  void fetch() override { listener_->settle(settle_limit); }
  void written(logs::Ticket until) override { listener_->written(until); }

  logs::Ticket deliver(const LogListener::Sender& from, std::span<const sandbox::LogFrame> frames) {
    std::vector<logs::LineView> lines;
    lines.reserve(frames.size());
    std::list<std::string> losses;
    std::string output;
    for (const auto& frame : frames) {
      const auto at = from_micros(frame.micros);
      if (frame.dropped > 0) {
        lines.push_back({at, "heroku", "logplex",
                         losses.emplace_back(fmt::format("Error L12: {} messages dropped since {}.",
                                                         frame.dropped, rfc3339(at)))});
        continue;
      }
      lines.push_back({at, "app", from.process, frame.line});
      if (from.output_stream.empty()) continue;
      output += frame.line;
      output += '\n';
    }
    const auto ticket = logs_.append(from.app, lines);
    if (!output.empty()) outputs_.append(from.output_stream, output);
    return ticket;
  }

  // Marks in the store what people asked for, so that it is not lost, and tells the keeper.
  Result<void> mark(const Id<apps::App>& app, std::string_view which, Asked what) {
    const auto [type, number] = text::split_once(which, '.');
    const auto wanted = number.empty() ? 0 : text::number(number).value_or(-1);
    bool found = which.empty();
    for (const auto& record : records_.living(app)) {
      const auto& dyno = record.dyno;
      if (which.empty() || dyno.type != type || (wanted != 0 && dyno.number != wanted)) continue;
      found = true;
      if (record.one_off) records_.ask(dyno.id, Asked::stop);
    }
    if (!found && !number.empty())
      return fail(Kind::not_found, "Couldn't find that dyno (" + std::string(which) + ").");
    if (!found && !keeper_knows(app, type))
      return fail(Kind::not_found, "Couldn't find that process type (" + std::string(which) + ").");

    records_.ask(app, type, static_cast<int>(wanted), what);
    if (!post([app](Keeper& keeper) { keeper.asked(app); })) return unavailable();
    return {};
  }

  // A type that is scaled to zero has no dynos, but is no mistake either.
  bool keeper_knows(const Id<apps::App>& app, std::string_view type) {
    const auto known = ask<bool>(launch_limit, [app, type = std::string(type)](Keeper& keeper) {
      return keeper.has_type(app, type);
    });
    return known.value_or(false);
  }

  Result<Record> one_off_record(const AppSpec& spec, const OneOff& wanted) {
    auto transaction = records_.begin();
    if (const auto known = records_.find(wanted.id)) return *known;

    const auto living = records_.living(spec.app);
    const auto one_offs = std::ranges::count_if(living, [](const Record& record) {
      return record.one_off && record.dyno.type != "release";
    });
    if (wanted.type != "release" && one_offs >= most_one_offs)
      return fail(Kind::rate_limited,
                  fmt::format("{} runs {} one-off dynos already, which is the most at a time. Stop "
                              "some with `ps:stop`, or wait for their end.",
                              spec.app_name, one_offs));
    const auto taken = [&](int number) {
      return std::ranges::any_of(living, [&](const Record& record) {
        return record.dyno.type == wanted.type && record.dyno.number == number;
      });
    };
    int number = 0;
    do number = static_cast<int>(1'000 + random_below(9'000));
    while (taken(number));

    auto record = new_record(wanted.id, spec, wanted.type, number, wanted.command,
                             options_.sizes->of(wanted.size).name, clock_.now());
    record.one_off = true;
    record.output_stream = wanted.output_stream;
    record.attached = wanted.attached;
    if (wanted.time_to_live) record.expires_at = clock_.now() + *wanted.time_to_live;
    records_.insert(record);
    transaction.commit();
    return record;
  }

  bool post(Command command) {
    {
      auto inbox = inbox_.lock();
      if (inbox->stop || inbox->commands.size() >= most_commands) return false;
      inbox->commands.push_back(std::move(command));
    }
    nudge();
    return true;
  }

  // What the keeper answers; nothing when it does not within the limit, or at all.
  template <class T>
  std::optional<T> ask(seconds limit, std::function<T(Keeper&)> question) {
    auto promise = std::make_shared<std::promise<T>>();
    auto answer = promise->get_future();
    const bool posted = post([promise, question = std::move(question)](Keeper& keeper) {
      try {
        promise->set_value(question(keeper));
      } catch (...) {
        promise->set_exception(std::current_exception());
      }
    });
    promise.reset();  // the queue's is the last: dropped unasked, it breaks the promise
    if (!posted || answer.wait_for(limit) != std::future_status::ready) return std::nullopt;
    try {
      return answer.get();
    } catch (const std::future_error&) {
      return std::nullopt;
    }
  }

  void nudge() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  }

  void work() {
    for (;;) {
      std::map<Id<apps::App>, AppSpec> applied;
      std::vector<Command> commands;
      {
        auto inbox = inbox_.lock();
        if (inbox->stop) {
          inbox->commands.clear();  // breaks their promises
          return;
        }
        applied.swap(inbox->applied);
        commands.swap(inbox->commands);
      }
      std::optional<SteadyTime> next = clock_.steady() + after_trouble;
      try {
        for (const auto& [app, spec] : applied) keeper_.apply(spec);
        for (const auto& command : commands) command(keeper_);
        next = keeper_.step();
      } catch (const std::exception& trouble) {
        report("dynos", fmt::format("the local engine: {}", trouble.what()));
      }
      commands.clear();
      if (keeper_.idle()) tell_idle();
      sleep_until(next);
    }
  }

  void tell_idle() {
    auto inbox = inbox_.lock();
    if (!inbox->commands.empty()) return;  // perhaps the very stop that is waited for
    for (const auto& waiting : std::exchange(inbox->when_idle, {})) waiting->set_value();
  }

  void sleep_until(std::optional<SteadyTime> next) {
    const auto watches = keeper_.watches();
    std::vector<pollfd> fds{{wake_.get(), POLLIN, 0}, {keeper_.news(), POLLIN, 0}};
    const auto first = fds.size();
    for (const auto& [fd, dyno] : watches) fds.push_back({fd, POLLIN, 0});
    const auto timeout = timeout_until(next, clock_.steady());
    if (::ppoll(fds.data(), fds.size(), &timeout, nullptr) <= 0) return;

    std::uint64_t count = 0;
    if (fds[0].revents != 0) [[maybe_unused]]
      const auto got = ::read(wake_.get(), &count, sizeof count);
    for (std::size_t i = 0; i < watches.size(); ++i)
      if (fds[first + i].revents != 0) keeper_.ended(watches[i].second);
  }

  Clock& clock_;
  apps::UidRanges& uids_;
  releases::Slugs& slugs_;
  logs::LogStore& logs_;
  logs::OutputStreams& outputs_;
  LocalEngineOptions options_;
  Records records_;
  std::unique_ptr<Sandboxes> sandboxes_;
  Keeper keeper_;  // the thread's, once it runs
  os::Fd wake_;
  Locked<Inbox> inbox_;
  std::optional<LogListener> listener_;
  std::optional<DiskGuard> disk_guard_;
  std::thread thread_;
};

}  // namespace

Sleep* sleep_of(Engine& engine) { return dynamic_cast<Sleep*>(&engine); }

std::unique_ptr<Engine> local_engine(store::Database& database, Clock& clock, apps::UidRanges& uids,
                                     releases::Slugs& slugs, sandbox::Spawner& spawner,
                                     logs::LogStore& logs, logs::OutputStreams& outputs,
                                     LocalEngineOptions options) {
  return std::make_unique<LocalEngine>(database, clock, uids, slugs, spawner, logs, outputs,
                                       std::move(options));
}

}  // namespace renga::dynos
