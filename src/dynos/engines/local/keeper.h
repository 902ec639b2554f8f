// Keeper: the heart of engines/local: which dynos there are, and what each needs next. It has no
// thread, sleeps nowhere and waits for nothing but the store and the spawner: its owner calls
// step() when a time has come, a sandbox has ended, or somebody asked for something, and it does
// what is due.
//
// It can die between any two of its steps. Every intent is a row before the spawner hears of it,
// and recover() compares the rows with the sandboxes that the kernel still has:
//   row and sandbox            adopted: the dyno never notices
//   row, no sandbox            ended: a crash if it had run, else started (again)
//   sandbox, no row            killed and removed
//
// Belongs to one thread, but for endpoints(), expect(), requested() and idle() of an app.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/locked.h"
#include "dynos/engines/engines.h"
#include "dynos/engines/local/life.h"
#include "dynos/engines/local/memory_watch.h"
#include "dynos/engines/local/metrics.h"
#include "dynos/engines/local/plan.h"
#include "dynos/engines/local/records.h"
#include "dynos/engines/local/sandboxes.h"

namespace renga::dynos {

// What the keeper needs of the rest of the platform.
struct KeeperNeeds {
  std::function<Result<std::string>(const Id<releases::Slug>&)> slug_directory;
  std::function<std::uint32_t(const Id<apps::App>&)> uid_base;
  // A line of source heroku. Must not block.
  std::function<void(const Id<apps::App>&, const std::string& process, const std::string& message)>
      say;
  std::function<bool(const std::string& address, int port)> accepts;
  // Returns once what ended dynos have written is in their logs (bounded).
  std::function<void()> settle_output;
  // What this dyno writes to the disk is to be watched, until it is forgotten: see expel().
  std::function<void(const std::string& dyno, const Size&)> watch_disk;
  std::function<void(const std::string& dyno)> forget_disk;
};

class Keeper {
 public:
  Keeper(store::Database& database, Clock& clock, Sandboxes& sandboxes, KeeperNeeds needs,
         const LocalEngineOptions& options);

  void set_events(EngineEvents events) { events_ = std::move(events); }
  void recover();

  void apply(const AppSpec& spec);
  void asked(const Id<apps::App>& app);  // people marked rows of it: see Records::ask()
  // Launches a one-off whose row was written. Kind::unavailable, and the row says that it ended.
  Result<void> run(const AppSpec& spec, const Record& record,
                   const std::map<std::string, std::string>& env);
  // Launches an attached one-off, which run() left waiting, with these streams.
  Result<void> attach(const Id<Dyno>& dyno, Streams streams);
  void client_left(const Id<Dyno>& dyno);
  // Beside what runs there, with these streams; `leash` is sandbox::Spawner::exec()'s.
  Result<void> exec(const AppSpec& spec, const Id<Dyno>& dyno, const Exec& exec, Streams streams,
                    os::Fd& leash);
  void retired(const Id<Dyno>& dyno);
  void wake(const Id<apps::App>& app);
  void expel(const Id<Dyno>& dyno, const std::string& why);  // a line for its log
  void ended(const Id<Dyno>& dyno);                          // its watch became readable
  void forget(const Id<apps::App>& app);                     // kills at once
  void stop_everything();  // asks all to end, and starts nothing any more
  bool idle() const;       // no sandbox is left
  bool has_type(const Id<apps::App>& app, std::string_view type) const;  // in its spec

  // Does what is due, and says when to be called again (with nothing: when something happens).
  std::optional<SteadyTime> step();
  std::vector<std::pair<int, Id<Dyno>>> watches() const;   // descriptors; readable: call ended()
  int news() const { return memory_watch_.descriptor(); }  // readable: call step()

  Endpoints endpoints(const Id<apps::App>& app);
  void requested(const Id<apps::App>& app);
  bool idle(const Id<apps::App>& app);  // asleep, or about to be
  void expect(const AppSpec& spec);     // apply() is on its way: endpoints() counts on it already

 private:
  // For the client of an attached one-off; launched when it has come.
  struct Waiting {
    AppSpec spec;
    std::map<std::string, std::string> env;
    SteadyTime until;
    bool stopped = false;
  };
  struct Kept {
    Record record;
    Life life;
    std::optional<sandbox::Running> running = {};
    os::Fd watch = {};
    bool gone = false;           // ended, not yet dealt with
    SteadyTime not_before = {};  // after trouble
    SteadyTime next_probe = {};
    Duration probe_gap = {};
    SteadyTime next_memory = {};
    SteadyTime launched_at = {};
    std::optional<SteadyTime> signal_again = {};
    std::int64_t memory_kills = 0;
    UsageMeter meter = {};
    bool wants_memory = false;  // the kernel said so
    std::optional<SteadyTime> listen_again = {};
    bool over_quota = false;
    std::optional<Waiting> waiting = {};
    std::optional<SteadyTime> next_hang_up = {};
    int hang_ups = 0;
    bool frozen = false;  // in the kernel
    bool woken = false;   // one that is asleep, or will be: to be started again
  };
  struct Known {
    std::optional<AppSpec> spec;
    std::optional<SteadyTime> again;
    SteadyTime active_at = {};  // somebody asked for it, or a dyno came up
    // Announced as idle, so that the router says so if it is not: frozen a moment later.
    std::optional<SteadyTime> drowsy_since = {};
  };

  // keeper.cpp
  void pass(const Id<apps::App>& app);
  void pass(const AppSpec& spec, const ProcessSpec& process);
  void attend(Kept& kept, SteadyTime now);
  void probe(Kept& kept, SteadyTime now);
  std::optional<SteadyTime> next_of(const Kept& kept) const;
  Present present(const Kept& kept, const AppSpec& spec, const ProcessSpec& process) const;

  // keeper_memory.cpp
  static SteadyTime next_look_at_memory(SteadyTime now);
  void hear_of_memory(SteadyTime now);
  void attend_to_memory(Kept& kept, SteadyTime now);
  void look_at_use(Kept& kept, SteadyTime now);
  void look_at_memory(Kept& kept, bool wants_more);
  void say_kills(Kept& kept, std::int64_t ever);

  // keeper_rest.cpp
  bool may_sleep(const Known& known) const;
  std::optional<SteadyTime> rest(const Id<apps::App>& app, Known& known, SteadyTime now);
  std::optional<SteadyTime> cycle(const Id<apps::App>& app, const Known& known, SteadyTime now);

  // keeper_start.cpp
  void start(const AppSpec& spec, const ProcessSpec& process, const Start& start);
  std::optional<std::string> launch(Kept& kept, const AppSpec& spec,
                                    const std::map<std::string, std::string>& env,
                                    Streams streams = {});
  void run_now(Kept& kept, const sandbox::Running& running);
  void adopt(Record record, const sandbox::Running* running);

  // keeper_attach.cpp
  void await_client(Kept& kept, const AppSpec& spec, const std::map<std::string, std::string>& env);
  void hand_over(const Kept& kept, Streams streams);
  void give_up_waiting(Kept& kept);
  void begin_hang_up(Kept& kept);
  void hang_up(Kept& kept, SteadyTime now);

  // keeper_end.cpp
  void stop(Kept& kept, Life::Stop how);
  void obey(Kept& kept, const Orders& orders);
  void finish(Kept& kept);
  void note_end(Kept& kept);
  void crashed(Kept& kept, Duration ran);
  void fall_asleep(Kept& kept);
  void over(Kept& kept);
  void discard(const Id<Dyno>& id);  // a row without a sandbox
  void clear(const std::string& sandbox);
  void clear_leftovers(SteadyTime now);
  void say_which_serves(const Kept& kept);

  // keeper_endpoints.cpp
  void publish(const Id<apps::App>& app);
  Endpoints endpoints_now(const Id<apps::App>& app) const;
  bool idle_now(const Id<apps::App>& app) const;

  void say(const Record& record, const std::string& message);
  void tell(const Record& record) { events_.on_change(record.dyno); }
  LifeLimits limits() const {
    return {options_.boot_limit, options_.stop_limit, options_.drain_limit};
  }

  Records records_;
  Clock& clock_;
  Sandboxes& sandboxes_;
  KeeperNeeds needs_;
  LocalEngineOptions options_;
  EngineEvents events_;
  std::string boot_id_;
  bool paused_ = false;
  MemoryWatch memory_watch_;

  std::map<Id<apps::App>, Known> apps_;
  std::map<Id<Dyno>, Kept> kept_;
  std::set<Id<apps::App>> dirty_;        // to be passed through again
  std::set<Id<apps::App>> unpublished_;  // their endpoints may have changed
  std::map<std::string, SteadyTime>
      leftovers_;  // sandboxes that could not be removed: try again at
  SteadyTime next_purge_ = {};
  std::map<Id<apps::App>, Endpoints> announced_;
  Locked<std::map<Id<apps::App>, Endpoints>> board_;
  Locked<std::set<Id<apps::App>>> idle_;
  Locked<std::map<Id<apps::App>, SteadyTime>> requested_;  // of apps that may sleep: the last one
};

}  // namespace renga::dynos
