// One turn of the loop: start what is due, wait for whatever happens, hear signals, read each
// process a bounded amount, reap what ended, write what the reader takes. While the reader takes
// nothing, no process is read, and each waits on its own full pipe; signals and ends are heard all
// the same.
#include "local/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "base/fault.h"
#include "base/text.h"
#include "local/running.h"
#include "os/footprint.h"

namespace renga::local {
namespace {

using namespace std::chrono_literals;

constexpr auto quiet_after_change = 150ms;  // a save is several changes
constexpr std::size_t bytes_a_turn = 64u << 10;

}  // namespace

Running::Running(const Plan& plan, std::optional<Watch> watch)
    : plan_(plan),
      watch_(std::move(watch)),
      output_(plan.out),
      clock_(plan.clock != nullptr ? *plan.clock : system_clock_),
      jobs_(plan.jobs, clock_.now()),
      buffer_(bytes_a_turn, '\0') {
  for (const auto& instance : plan.instances) width_ = std::max(width_, instance.name.size());
  for (const auto& job : jobs_.all()) width_ = std::max(width_, job.name.size());
  system_ = system_prefix(width_, plan.colour);
  for (std::size_t i = 0; i < plan.instances.size(); ++i)
    slots_.push_back({.instance = plan.instances[i],
                      .prefix = prefix_of(plan.instances[i].name, width_, i, plan.colour),
                      .due = Steady::now()});
  // Never written to and never closed: programs that watch files end with their input.
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fault("make a pipe");
  input_ = os::Fd(ends[0]);
  input_writer_ = os::Fd(ends[1]);
  announce_jobs();
  if (plan.sockets.empty()) return;
  try {
    control_ = std::make_unique<Control>(plan.sockets, plan.directory);
  } catch (const std::system_error& error) {
    say(fmt::format("local:ps and local:restart will not find this: {}", error.what()));
  }
}

int Running::all() {
  start_what_is_due();
  os::give_back_memory();
  for (;;) {
    start_jobs();
    start_what_is_due();
    if (ending_) {
      if (end_what_is_left()) break;
    } else {
      look_after_stopping();
      look_after_health();
    }
    output_.flush();
    wait();
    hear_signals();
    for (auto& slot : slots_)
      if (!output_.is_full()) read(slot);
    const bool childless = reap();
    if (ending_ && childless) break;
    forget_jobs_that_are_over();
    hear_changes();
    if (control_)
      control_->serve([this](std::string_view said, int holder) { return answer(said, holder); },
                      [this](int holder) { take_back(holder); });
    output_.flush();
    if (output_.is_closed() && !ending_) end_all(128 + SIGPIPE, "");
  }
  finish();
  return *status_;
}

void Running::say(std::string_view what) {
  append_line(output_.text(), system_, plan_.times ? time_.now() : "", what);
}
void Running::say(const Slot& slot, std::string_view what) {
  append_line(output_.text(), slot.prefix, plan_.times ? time_.now() : "", what);
}

void Running::wait() {
  polled_.clear();
  const auto add = [&](int fd, int events) {
    polled_.push_back({fd, static_cast<short>(events), 0});
  };
  add(signals_.descriptor(), POLLIN);
  if (watch_) add(watch_->fd(), POLLIN);
  if (control_)
    for (const int fd : control_->descriptors()) add(fd, POLLIN);
  if (output_.waiting() > 0) add(output_.fd(), POLLOUT);
  if (!output_.is_full())
    for (const auto& slot : slots_)
      if (slot.output && slot.holder == 0) add(slot.output.get(), POLLIN);
  ::poll(polled_.data(), polled_.size(), static_cast<int>(longest_wait().count()));
}

std::chrono::milliseconds Running::longest_wait() {
  auto limit = std::chrono::milliseconds(60'000);
  const auto until = [&](Steady::time_point when) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Steady::now());
    limit = std::clamp(left, 0ms, limit);
  };
  if (ending_) until(Steady::now() + look_again);
  if (changed_at_) until(*changed_at_ + quiet_after_change);
  for (const auto& slot : slots_) {
    // One that waits for another is looked at when that one becomes healthy.
    if (slot.due && slot.state == Slot::State::waiting && !slot.said_waiting) until(*slot.due);
    if (slot.state == Slot::State::stopping) until(Steady::now() + look_again);
    if (slot.probe) until(Steady::now() + Probe::pause);
  }
  if (const auto sleep = jobs_.sleep(clock_.now()); sleep && !ending_)
    limit = std::min(limit, std::chrono::ceil<std::chrono::milliseconds>(*sleep));
  return limit;
}

void Running::hear_signals() {
  while (const int number = signals_.next()) {
    switch (number) {
      case SIGINT:
      case SIGTERM:
      case SIGHUP:
        if (ending_) {
          // Asked twice: somebody is in a hurry.
          end_by_ = Steady::now();
        } else {
          end_all(128 + number, fmt::format("SIG{} received", sigabbrev_np(number)));
        }
        break;
      case SIGUSR1:
      case SIGUSR2:
        for (const auto& slot : slots_)
          if (slot.pid > 0) kill(slot.pid, number);
        break;
      case SIGWINCH:
        for (const auto& slot : slots_)
          if (plan_.streams == Streams::terminal && slot.output && slot.holder == 0)
            copy_window_size(plan_.out, slot.output.get());
        break;
      default:
        break;  // SIGCHLD: see reap()
    }
  }
}

void Running::read(Slot& slot) {
  if (!slot.output || slot.holder != 0) return;
  const auto count = ::read(slot.output.get(), buffer_.data(), buffer_.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return close_output(slot);  // a terminal ends with EIO
  slot.lines.add(std::string_view(buffer_).substr(0, static_cast<std::size_t>(count)),
                 [&](std::string_view line) { say(slot, line); });
}

void Running::close_output(Slot& slot) {
  slot.output.close();
  flush_lines(slot);
}

void Running::flush_lines(Slot& slot) {
  slot.lines.finish([&](std::string_view line) { say(slot, line); });
}

// What it wrote last is in its pipe still; a child of its own may go on writing there.
void Running::read_what_is_left(Slot& slot) {
  for (std::size_t turn = 0; slot.output && slot.holder == 0 && turn < 16; ++turn) {
    pollfd one{slot.output.get(), POLLIN, 0};
    if (::poll(&one, 1, 0) <= 0) break;
    read(slot);
  }
  flush_lines(slot);
}

void Running::hear_changes() {
  if (!watch_) return;
  if (auto path = watch_->changed(); !path.empty()) {
    changed_ = std::move(path);
    changed_at_ = Steady::now();
  }
  if (ending_ || !changed_at_ || Steady::now() < *changed_at_ + quiet_after_change) return;
  changed_at_.reset();
  restart_all(fmt::format(
      "{} changed, starting again",
      text::printable(
          std::filesystem::path(changed_).lexically_relative(plan_.directory).native())));
}

Result<int> run(const Plan& plan) {
  std::optional<Watch> watch;
  if (plan.watch) watch = TRY(Watch::of(plan.directory));
  return Running(plan, std::move(watch)).all();
}

}  // namespace renga::local
