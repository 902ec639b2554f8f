#include "scheduler/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <thread>

#include "base/locked.h"
#include "base/report.h"

namespace renga::scheduler {
namespace {

constexpr std::chrono::seconds longest_sleep{30};
constexpr std::chrono::hours longest_run{24};
constexpr std::ptrdiff_t most_waiting = 10;  // of one job

}  // namespace

struct Scheduler::State {
  struct Bell {
    bool rung = false;
    bool ending = false;
  };

  void pass();
  void start_waiting();
  void start(Run run);
  void follow(Run run);
  void end(Run& run, RunState state, std::string message);
  void work();

  Jobs& jobs;
  Clock& clock;
  apps::Apps& apps;
  releases::Releases& releases;
  dynos::Reconciler& reconciler;
  dynos::Engine& engine;
  logs::OutputStreams& outputs;
  Locked<Bell> bell;
  std::condition_variable wake;
  std::thread thread;
};

Scheduler::Scheduler(Jobs& jobs, Clock& clock, apps::Apps& apps, releases::Releases& releases,
                     dynos::Reconciler& reconciler, dynos::Engine& engine,
                     logs::OutputStreams& outputs)
    : state_(new State{jobs, clock, apps, releases, reconciler, engine, outputs, {}, {}, {}}) {}

Scheduler::~Scheduler() {
  state_->bell.lock()->ending = true;
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void Scheduler::start() {
  state_->thread = std::thread([this] { state_->work(); });
}

void Scheduler::dyno_changed(const dynos::Dyno& dyno) {
  if (dyno.type == "scheduler") poke();
}

void Scheduler::poke() {
  state_->bell.lock()->rung = true;
  state_->wake.notify_all();
}

void Scheduler::pass() { state_->pass(); }

void Scheduler::State::pass() {
  jobs.reach(clock.now());
  for (auto& run : jobs.in(RunState::starting)) start(std::move(run));
  for (auto& run : jobs.in(RunState::running)) follow(std::move(run));
  start_waiting();
  for (const auto& output : jobs.prune()) outputs.remove(output);
}

void Scheduler::State::work() {
  for (;;) {
    Duration sleep = longest_sleep;
    try {
      pass();
      if (const auto next = jobs.next_time())
        sleep = std::clamp<Duration>(*next - clock.now(), Duration(0), longest_sleep);
    } catch (const std::exception& trouble) {
      report("scheduler", trouble.what());
      sleep = std::chrono::seconds(5);
    }
    auto guard = bell.lock();
    guard.wait_for(wake, sleep, [&] { return guard->rung || guard->ending; });
    if (guard->ending) return;
    guard->rung = false;
  }
}

// Each waiting run is started, skipped or left waiting, as its job's overlap policy says.
void Scheduler::State::start_waiting() {
  auto going = jobs.in(RunState::running);
  const auto waiting = jobs.in(RunState::waiting);
  for (auto run : waiting) {
    const auto job = jobs.job_of(run);
    if (!job) continue;
    const auto same = [&](const Run& other) { return other.job == run.job; };
    const bool busy = std::ranges::any_of(going, same);
    if (busy && job->overlap == Overlap::skip && run.due_at) {
      end(run, RunState::skipped, "The run before it was still going.");
      continue;
    }
    if (busy && job->overlap != Overlap::allow) {
      const auto before = std::ranges::count_if(waiting, [&](const Run& other) {
        return same(other) && other.created_at < run.created_at;
      });
      if (before >= most_waiting)
        end(run, RunState::skipped, "Ten runs before it were still waiting.");
      continue;
    }
    run.state = RunState::starting;
    run.output = outputs.create();
    run.started_at = clock.now();
    jobs.update(run);
    start(run);
    going.push_back(std::move(run));
  }
}

// Its dyno has its id already: asking the engine a second time, after a crash, starts no second
// one.
void Scheduler::State::start(Run run) {
  const auto job = jobs.job_of(run);
  if (!job) return;
  if (!engine.one_off(run.dyno)) {
    const auto app = apps.find(run.app);
    if (!app) return;
    const auto release = releases.current(run.app);
    if (!release.slug) return end(run, RunState::failed, "Nothing was deployed to the app yet.");
    dynos::OneOff wanted;
    wanted.id = run.dyno;
    wanted.type = "scheduler";
    wanted.command = job->command;
    wanted.size = job->size;
    wanted.time_to_live = longest_run;
    wanted.output_stream = run.output;
    const auto dyno = engine.run(reconciler.spec_of(*app, release), wanted);
    if (!dyno) return end(run, RunState::failed, dyno.error().message);
    run.dyno_name = dyno->name();
  }
  run.state = RunState::running;
  jobs.update(run);
  follow(std::move(run));
}

void Scheduler::State::follow(Run run) {
  const auto dyno = engine.one_off(run.dyno);
  if (!dyno) return end(run, RunState::failed, "Its dyno is not known any more.");
  run.dyno_name = dyno->name();
  if (dyno->state != dynos::State::down || !dyno->exit_status) return;
  run.exit_status = dyno->exit_status;
  end(run, *run.exit_status == 0 ? RunState::succeeded : RunState::failed, "");
}

void Scheduler::State::end(Run& run, RunState state, std::string message) {
  run.state = state;
  run.message = std::move(message);
  run.ended_at = clock.now();
  jobs.update(run);
  if (!run.output.empty()) outputs.finish(run.output);
}

}  // namespace renga::scheduler
