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
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/fault.h"
#include "base/text.h"
#include "local/control.h"
#include "local/output.h"
#include "local/slot.h"
#include "local/watch.h"

namespace renga::local {
namespace {

using namespace std::chrono_literals;

constexpr auto look_again = 20ms;           // while something is being ended
constexpr auto killed_limit = 2s;           // from SIGKILL to giving up
constexpr auto quiet_after_change = 150ms;  // a save is several changes
constexpr auto reader_limit = 10s;          // for a reader that takes nothing at our end
constexpr std::size_t bytes_a_turn = 64u << 10;

int status_of(int raw) { return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw); }

std::string ending_of(int raw) {
  return WIFSIGNALED(raw) ? fmt::format("terminated by SIG{}", sigabbrev_np(WTERMSIG(raw)))
                          : fmt::format("exited with code {}", WEXITSTATUS(raw));
}

// Our signals as a descriptor, and us as the parent of orphans; both as before at the end.
class Surroundings {
 public:
  Surroundings() {
    sigset_t ours;
    sigemptyset(&ours);
    for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH})
      sigaddset(&ours, number);
    pthread_sigmask(SIG_BLOCK, &ours, &before_);
    pipe_before_ = signal(SIGPIPE, SIG_IGN);
    prctl(PR_GET_CHILD_SUBREAPER, &reaper_before_);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signals_ = os::Fd(signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!signals_) fault("listen to signals");
  }
  ~Surroundings() {
    prctl(PR_SET_CHILD_SUBREAPER, reaper_before_);
    signal(SIGPIPE, pipe_before_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

  int descriptor() const { return signals_.get(); }
  int next() {  // 0: none
    signalfd_siginfo info{};
    return ::read(signals_.get(), &info, sizeof info) == sizeof info
               ? static_cast<int>(info.ssi_signo)
               : 0;
  }

 private:
  sigset_t before_{};
  void (*pipe_before_)(int) = SIG_DFL;
  int reaper_before_ = 0;
  os::Fd signals_;
};

class Run {
 public:
  Run(const Plan& plan, std::optional<Watch> watch)
      : plan_(plan), watch_(std::move(watch)), output_(plan.out), buffer_(bytes_a_turn, '\0') {
    std::size_t width = 6;
    for (const auto& instance : plan.instances) width = std::max(width, instance.name.size());
    system_ = system_prefix(width, plan.colour);
    for (std::size_t i = 0; i < plan.instances.size(); ++i)
      slots_.push_back({.instance = plan.instances[i],
                        .prefix = prefix_of(plan.instances[i].name, width, i, plan.colour),
                        .due = Steady::now()});
    // Never written to and never closed: programs that watch files end with their input.
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fault("make a pipe");
    input_ = os::Fd(ends[0]);
    input_writer_ = os::Fd(ends[1]);
    if (plan.sockets.empty()) return;
    try {
      control_ = std::make_unique<Control>(plan.sockets, plan.directory);
    } catch (const std::system_error& error) {
      say(fmt::format("local:ps and local:restart will not find this: {}", error.what()));
    }
  }

  int all() {
    for (;;) {
      start_what_is_due();
      if (ending_) {
        if (end_what_is_left()) break;
      } else {
        look_after_stopping();
      }
      output_.flush();
      wait();
      hear_signals();
      for (auto& slot : slots_)
        if (!output_.is_full()) read(slot);
      const bool childless = reap();
      if (ending_ && childless) break;
      hear_changes();
      if (control_) control_->serve([this](std::string_view said) { return answer(said); });
      output_.flush();
      if (output_.is_closed() && !ending_) end_all(128 + SIGPIPE, "");
    }
    finish();
    return *status_;
  }

 private:
  void say(std::string_view what) { append_line(output_.text(), system_, time_.now(), what); }
  void say(const Slot& slot, std::string_view what) {
    append_line(output_.text(), slot.prefix, time_.now(), what);
  }

  // -- starting

  void start_what_is_due() {
    const auto now = Steady::now();
    for (auto& slot : slots_)
      if (!ending_ && slot.state == Slot::State::waiting && slot.due && *slot.due <= now)
        start(slot);
  }

  void start(Slot& slot) {
    flush_lines(slot);
    auto started =
        start_shell(slot.instance.command, environment_of(slot.instance, plan_.environment),
                    plan_.directory, plan_.streams, input_.get());
    slot.pid = started.pid;
    slot.output = std::move(started.output);
    slot.state = Slot::State::running;
    slot.due.reset();
    slot.since = Steady::now();
    say(slot, fmt::format("started with pid {}", slot.pid));
  }

  // -- waiting

  void wait() {
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
        if (slot.output) add(slot.output.get(), POLLIN);

    auto limit = std::chrono::milliseconds(60'000);
    const auto until = [&](Steady::time_point when) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Steady::now());
      limit = std::clamp(left, 0ms, limit);
    };
    if (ending_) until(Steady::now() + look_again);
    if (changed_at_) until(*changed_at_ + quiet_after_change);
    for (const auto& slot : slots_) {
      if (slot.due && slot.state == Slot::State::waiting) until(*slot.due);
      if (slot.state == Slot::State::stopping) until(Steady::now() + look_again);
    }
    ::poll(polled_.data(), polled_.size(), static_cast<int>(limit.count()));
  }

  void hear_signals() {
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
            if (plan_.streams == Streams::terminal && slot.output)
              copy_window_size(plan_.out, slot.output.get());
          break;
        default:
          break;  // SIGCHLD: see reap()
      }
    }
  }

  // -- reading

  void read(Slot& slot) {
    if (!slot.output) return;
    const auto count = ::read(slot.output.get(), buffer_.data(), buffer_.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return close_output(slot);  // a terminal ends with EIO
    slot.lines.add(std::string_view(buffer_).substr(0, static_cast<std::size_t>(count)),
                   [&](std::string_view line) { say(slot, line); });
  }

  void close_output(Slot& slot) {
    slot.output.close();
    flush_lines(slot);
  }
  void flush_lines(Slot& slot) {
    slot.lines.finish([&](std::string_view line) { say(slot, line); });
  }

  // -- ending

  // Whether there is no child any more.
  bool reap() {
    int raw = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &raw, WNOHANG)) > 0) {
      const auto slot = std::ranges::find(slots_, pid, &Slot::pid);
      if (slot != slots_.end()) ended(*slot, raw);
    }
    return pid < 0 && errno == ECHILD;
  }

  void ended(Slot& slot, int raw) {
    // What it wrote last is in its pipe still; a child of its own may go on writing there.
    for (std::size_t turn = 0; slot.output && turn < 16; ++turn) {
      pollfd one{slot.output.get(), POLLIN, 0};
      if (::poll(&one, 1, 0) <= 0) break;
      read(slot);
    }
    flush_lines(slot);
    const auto lived = Steady::now() - slot.since;
    slot.pid = -1;
    say(slot, ending_of(raw));
    if (ending_ || slot.state == Slot::State::stopping) return;
    if (plan_.at_exit == AtExit::end_all) return end_all(status_of(raw), "");
    slot.state = Slot::State::waiting;
    if (plan_.at_exit == AtExit::wait) {
      say(slot, "waits for a change");
      return;
    }
    const auto delay = back_off(slot, lived);
    say(slot,
        fmt::format("starts again in {:.2g} s", std::chrono::duration<double>(delay).count()));
    stop(slot, delay);
  }

  // To be started again, once nothing is left of it and the delay is over.
  void stop(Slot& slot, std::chrono::milliseconds delay) {
    const auto now = Steady::now();
    slot.state = Slot::State::stopping;
    slot.since = now;
    slot.due = now + delay;
    slot.kill_after = now + plan_.exit_limit;
    send(slot, SIGTERM);
  }

  void look_after_stopping() {
    for (auto& slot : slots_) {
      if (slot.state != Slot::State::stopping) continue;
      if (slot.pid < 0 && remains(slot).empty()) {
        slot.state = Slot::State::waiting;
      } else if (Steady::now() >= slot.kill_after) {
        send(slot, SIGKILL);
      }
    }
  }

  void restart_all(std::string_view why) {
    say(why);
    for (auto& slot : slots_) {
      slot.quick_deaths = 0;
      stop(slot, 0ms);
    }
  }

  void end_all(int status, std::string_view why) {
    status_ = status;
    ending_ = true;
    end_by_ = Steady::now() + plan_.exit_limit;
    say(fmt::format("{}{}sending SIGTERM to all processes", why, why.empty() ? "" : ", "));
    for (auto& slot : slots_) slot.due.reset();
    send_all(SIGTERM);
  }

  void send_all(int number) {
    const auto all = descendants(getpid());
    for (const auto& slot : slots_)
      if (slot.pid > 0) kill(-slot.pid, number);
    for (const auto pid : all) {
      const auto group = getpgid(pid);
      if (std::ranges::find(slots_, group, &Slot::pid) == slots_.end()) kill(pid, number);
    }
  }

  // True: give up.
  bool end_what_is_left() {
    const auto now = Steady::now();
    if (now < end_by_) return false;
    if (!killed_) say("sending SIGKILL to all processes");
    if (!killed_) killed_ = now;
    send_all(SIGKILL);
    if (now - *killed_ < killed_limit) return false;
    say("processes that the kernel does not end are left behind");
    return true;
  }

  void finish() {
    for (auto& slot : slots_) {
      for (std::size_t turn = 0; slot.output && turn < 16; ++turn) {
        pollfd one{slot.output.get(), POLLIN, 0};
        if (::poll(&one, 1, 0) <= 0) break;
        read(slot);
      }
      flush_lines(slot);
    }
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

  // -- changes and questions

  void hear_changes() {
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

  std::string answer(std::string_view said) {
    const auto [verb, name] = text::split_once(said, ' ');
    std::string answer;
    const auto now = Steady::now();
    for (auto& slot : slots_) {
      if (verb == "ps") {
        answer +=
            fmt::format("{} {} {} {} {}\n", slot.instance.name,
                        slot.state == Slot::State::running    ? "up"
                        : slot.state == Slot::State::stopping ? "stopping"
                                                              : "down",
                        slot.pid > 0 ? std::to_string(slot.pid) : "-", slot.instance.port,
                        std::chrono::duration_cast<std::chrono::seconds>(now - slot.since).count());
      } else if (verb == "restart" && !ending_ &&
                 (slot.instance.name == name || slot.instance.type == name)) {
        slot.quick_deaths = 0;
        stop(slot, 0ms);
        answer += slot.instance.name + "\n";
      }
    }
    return answer.empty() ? "none\n" : answer;
  }

  const Plan& plan_;
  std::optional<Watch> watch_;
  Surroundings signals_;
  Output output_;
  WallTime time_;
  Prefix system_;
  std::vector<Slot> slots_;
  os::Fd input_, input_writer_;
  std::unique_ptr<Control> control_;
  std::vector<pollfd> polled_;
  std::string buffer_;

  std::string changed_;
  std::optional<Steady::time_point> changed_at_;
  bool ending_ = false;
  std::optional<int> status_;
  Steady::time_point end_by_{};
  std::optional<Steady::time_point> killed_;
};

}  // namespace

Result<int> run(const Plan& plan) {
  std::optional<Watch> watch;
  if (plan.watch) watch = TRY(Watch::of(plan.directory));
  return Run(plan, std::move(watch)).all();
}

}  // namespace renga::local
