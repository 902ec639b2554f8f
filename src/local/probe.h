// Probe: asks a process of ours on its port, again and again, whether it is there; never waits.
#pragma once

#include <chrono>
#include <string>

#include "local/waits.h"
#include "os/fd.h"

namespace renga::local {

class Probe {
 public:
  using Steady = std::chrono::steady_clock;
  // How often step() should be called, and how long one answer may take.
  static constexpr std::chrono::milliseconds pause{50};
  static constexpr std::chrono::seconds answer_limit{5};

  Probe(const Check& check, int port) : check_(check), port_(port) {}

  // A little further; true once it was answered well.
  bool step(Steady::time_point now);

 private:
  bool connect();
  bool ask();
  bool hear();

  Check check_;
  int port_;
  os::Fd socket_;
  std::size_t asked_ = 0;  // bytes of the question that were sent
  std::string answer_;
  Steady::time_point since_{};
  bool by_ipv6_ = false;
};

}  // namespace renga::local
