// Running: the loop behind run(), and everything it has in hand. Its functions lie in run.cpp (the
// loop), starting.cpp (what may start, and when), ending.cpp (how things end) and answers.cpp (what
// other commands ask).
#pragma once

#include <poll.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "local/control.h"
#include "local/jobs.h"
#include "local/output.h"
#include "local/run.h"
#include "local/signals.h"
#include "local/slot.h"
#include "local/watch.h"

namespace renga::local {

class Running {
 public:
  Running(const Plan& plan, std::optional<Watch> watch);
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  int all();  // the exit status

 private:
  static constexpr std::chrono::milliseconds look_again{20};  // while something is being ended

  void say(std::string_view what);
  void say(const Slot& slot, std::string_view what);

  // -- run.cpp
  void wait();
  std::chrono::milliseconds longest_wait();
  void hear_signals();
  void read(Slot& slot);
  void close_output(Slot& slot);
  void flush_lines(Slot& slot);
  void read_what_is_left(Slot& slot);
  void hear_changes();

  // -- starting.cpp
  void start_what_is_due();
  bool may_start(Slot& slot);
  bool is_healthy(const std::string& type) const;
  void start(Slot& slot);
  void look_after_health();
  void become_healthy(Slot& slot);
  void start_jobs();
  void announce_jobs();

  // -- ending.cpp
  bool reap();  // whether there is no child any more
  void ended(Slot& slot, int raw);
  void stop(Slot& slot, std::chrono::milliseconds delay);
  void look_after_stopping();
  void forget_jobs_that_are_over();
  void restart_all(std::string_view why);
  void end_all(int status, std::string_view why);
  void send_all(int number);
  bool end_what_is_left();  // true: give up
  void finish();

  // -- answers.cpp
  Control::Answer answer(std::string_view said, int holder);
  std::string list() const;
  std::string restart(std::string_view name);
  Control::Answer lend(std::string_view name, int holder);
  void take_back(int holder);

  const Plan& plan_;
  std::optional<Watch> watch_;
  Signals signals_;
  Output output_;
  WallTime time_;
  SystemClock system_clock_;
  Clock& clock_;
  std::size_t width_ = 6;
  Prefix system_;
  std::vector<Slot> slots_;
  Jobs jobs_;
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

}  // namespace renga::local
