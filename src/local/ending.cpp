// How things end: one process, everything, and what does not want to.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "local/running.h"

namespace renga::local {
namespace {

using namespace std::chrono_literals;

constexpr auto killed_limit = 2s;   // from SIGKILL to giving up
constexpr auto reader_limit = 10s;  // for a reader that takes nothing at our end

int status_of(int raw) { return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw); }

std::string ending_of(int raw) {
  return WIFSIGNALED(raw) ? fmt::format("terminated by SIG{}", sigabbrev_np(WTERMSIG(raw)))
                          : fmt::format("exited with code {}", WEXITSTATUS(raw));
}

}  // namespace

bool Running::reap() {
  int raw = 0;
  pid_t pid = 0;
  while ((pid = waitpid(-1, &raw, WNOHANG)) > 0) {
    const auto slot = std::ranges::find(slots_, pid, &Slot::pid);
    if (slot != slots_.end()) ended(*slot, raw);
  }
  return pid < 0 && errno == ECHILD;
}

void Running::ended(Slot& slot, int raw) {
  read_what_is_left(slot);
  // Who is attached has the terminal's end, and reads it.
  if (slot.holder != 0) slot.output.close();
  slot.holder = 0;
  slot.probe.reset();
  const auto lived = Steady::now() - slot.since;
  slot.pid = -1;
  say(slot, ending_of(raw));
  if (ending_ || slot.state == Slot::State::stopping) return;
  const auto check = plan_.waits.checks.find(slot.instance.type);
  const bool was_to_end = !slot.is_job && check != plan_.waits.checks.end() &&
                          check->second.kind == Check::Kind::exit && status_of(raw) == 0;
  if (slot.is_job || was_to_end) {
    slot.state = Slot::State::over;
    if (was_to_end) become_healthy(slot);
    const bool nothing_left = std::ranges::all_of(
        slots_, [](const Slot& one) { return one.is_job || one.state == Slot::State::over; });
    if (was_to_end && nothing_left) end_all(0, "everything has ended");
    return;
  }
  slot.healthy = false;
  if (plan_.at_exit == AtExit::end_all) return end_all(status_of(raw), "");
  slot.state = Slot::State::waiting;
  if (plan_.at_exit == AtExit::wait) {
    say(slot, "waits for a change");
    return;
  }
  const auto delay = back_off(slot, lived);
  say(slot, fmt::format("starts again in {:.2g} s", std::chrono::duration<double>(delay).count()));
  stop(slot, delay);
}

// To be started again, once nothing is left of it and the delay is over.
void Running::stop(Slot& slot, std::chrono::milliseconds delay) {
  const auto now = Steady::now();
  slot.state = Slot::State::stopping;
  slot.since = now;
  slot.due = now + delay;
  slot.kill_after = now + plan_.exit_limit;
  slot.probe.reset();
  slot.healthy = slot.said_waiting = false;
  send(slot, SIGTERM);
}

void Running::look_after_stopping() {
  for (auto& slot : slots_) {
    if (slot.state != Slot::State::stopping) continue;
    if (slot.pid < 0 && remains(slot).empty()) {
      slot.state = Slot::State::waiting;
    } else if (Steady::now() >= slot.kill_after) {
      send(slot, SIGKILL);
    }
  }
}

void Running::forget_jobs_that_are_over() {
  std::erase_if(slots_, [](const Slot& slot) {
    return slot.is_job && slot.state == Slot::State::over && !slot.output;
  });
}

// Scheduled jobs' runs go on: nobody changes a file to have a report written twice.
void Running::restart_all(std::string_view why) {
  say(why);
  for (auto& slot : slots_) {
    if (slot.is_job) continue;
    slot.quick_deaths = 0;
    stop(slot, 0ms);
  }
}

void Running::end_all(int status, std::string_view why) {
  status_ = status;
  ending_ = true;
  end_by_ = Steady::now() + plan_.exit_limit;
  say(fmt::format("{}{}sending SIGTERM to all processes", why, why.empty() ? "" : ", "));
  for (auto& slot : slots_) slot.due.reset();
  send_all(SIGTERM);
}

void Running::send_all(int number) {
  const auto all = descendants(getpid());
  for (const auto& slot : slots_)
    if (slot.pid > 0) kill(-slot.pid, number);
  for (const auto pid : all) {
    const auto group = getpgid(pid);
    if (std::ranges::find(slots_, group, &Slot::pid) == slots_.end()) kill(pid, number);
  }
}

bool Running::end_what_is_left() {
  const auto now = Steady::now();
  if (now < end_by_) return false;
  if (!killed_) say("sending SIGKILL to all processes");
  if (!killed_) killed_ = now;
  send_all(SIGKILL);
  if (now - *killed_ < killed_limit) return false;
  say("processes that the kernel does not end are left behind");
  return true;
}

void Running::finish() {
  for (auto& slot : slots_) read_what_is_left(slot);
  auto progress = Steady::now();
  while (output_.waiting() > 0 && Steady::now() - progress < reader_limit) {
    const auto before = output_.waiting();
    output_.flush();
    if (output_.waiting() < before) progress = Steady::now();
    pollfd one{output_.fd(), POLLOUT, 0};
    if (output_.waiting() > 0) ::poll(&one, 1, 100);
    for (int number; (number = signals_.next()) != 0;)
      if (number == SIGINT || number == SIGTERM || number == SIGHUP) return;
  }
}

}  // namespace renga::local
