// The program renga-spawner: one thread, one control, one request after the other. It keeps
// nothing that could not be found again, so that it may die at any instant.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

#include "base/fault.h"
#include "base/id.h"
#include "base/report.h"
#include "base/text.h"
#include "os/namespaces.h"
#include "sandbox/channel.h"
#include "sandbox/records.h"
#include "sandbox/spawner.h"
#include "sandbox/spec_message.h"
#include "sandbox/starter.h"

namespace renga::sandbox {
namespace {

std::string error_answer(const Error& error) {
  std::string answer;
  add_record(answer, 'x', std::to_string(static_cast<int>(error.kind)) + " " + error.message);
  return answer;
}

std::string done_answer(std::string_view text = {}) {
  std::string answer;
  add_record(answer, 'k', text);
  return answer;
}

using Steady = std::chrono::steady_clock;

// About 0.7 MiB each.
constexpr std::int64_t usual_holders = 12, most_holders = 64;

constexpr int tidy_again_ms = 20;
constexpr std::chrono::seconds refill_after_trouble{30};
// What was started just now gets the CPU first, while there are more for those who come next.
constexpr std::chrono::milliseconds refill_after_start{20};
// Of refilling: a sandbox is made, settled and given an app's directory. In a storm of starts each
// takes one, and so one is made ready for each: what waits for the kernel then does so beside the
// starts.
constexpr int steps_of_one = 3;

// How many sandboxes are made ahead: RENGA_HOLDERS, and else a few, where starts should be quick.
std::size_t holders_for(Purpose purpose) {
  if (purpose == Purpose::services) return 0;
  const char* wanted = std::getenv("RENGA_HOLDERS");
  const auto number = wanted != nullptr ? text::number(wanted) : std::nullopt;
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(number.value_or(usual_holders), 0, most_holders));
}

class Service {
 public:
  // `lock`: RunDirectory::lock() of this spawner's control.
  Service(const SpawnerOptions& options, Channel& channel, os::Fd lock)
      : starter_(options, holders_for(options.purpose)), channel_(channel), lock_(std::move(lock)) {
    sigset_t ended;
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, nullptr);
    ended_ = os::Fd(signalfd(-1, &ended, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!ended_) fault("watch for ended processes");
    remove_in_background();
  }

  void serve() {
    while (true) {
      pollfd waits[] = {{channel_.socket().get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}};
      if (poll(waits, 2, patience()) < 0 && errno != EINTR) fault("wait for requests");
      if (waits[1].revents != 0) reap();
      if (waits[0].revents != 0) {
        const auto request = channel_.receive();
        if (!request || !send(answer(*request))) break;
      }
      // After every answer, too: in a storm of starts nothing would ever be ready otherwise.
      make_ready();
    }
    // Nothing more comes to be or to an end: the next control may look at what there is.
    lock_.close();
    starter_.dismiss_holders();
    finish_removing();
  }

 private:
  // False when control is gone.
  bool send(const std::string& answer) {
    try {
      channel_.send(answer);
      return true;
    } catch (const std::system_error& error) {
      if (error.code().value() != EPIPE) throw;
      return false;
    }
  }

  std::string answer(const Channel::Message& request) {
    try {
      std::string_view text = request.bytes;
      Record verb;
      if (!next_record(text, verb) || verb.tag != 'v')
        return error_answer({Kind::bad_request, "The spawner was sent a request without a verb."});
      if (verb.bytes == "start") return start(text, request.descriptors);
      if (verb.bytes == "leave") {
        left_ = starter_.leave();
        return done_answer(left_ ? "" : "busy");
      }
      if (verb.bytes == "exec") return exec(text, request.descriptors);
      if (verb.bytes == "address") return done_answer(starter_.free_address());

      std::string id;
      std::int64_t number = 0;
      for (Record record; next_record(text, record);) {
        if (record.tag == 'i') id = record.bytes;
        if (record.tag == 'n') number = text::number(record.bytes).value_or(0);
      }
      // It becomes a part of paths.
      if (!is_uuid(id)) return error_answer({Kind::bad_request, "A sandbox's id is a UUID."});
      if (verb.bytes == "kill") {
        starter_.kill(id);
        return done_answer();
      }
      if (verb.bytes == "signal" && number > 0 && number < 65) {
        starter_.signal(id, static_cast<int>(number));
        return done_answer();
      }
      if (verb.bytes == "remove") {
        if (!starter_.remove(id)) return done_answer("busy");
        remove_in_background();
        return done_answer();
      }
      return error_answer({Kind::bad_request, "The spawner knows no such verb."});
    } catch (const std::exception& error) {
      return error_answer({Kind::unavailable, std::string("The spawner failed: ") + error.what()});
    }
  }

  std::string start(std::string_view text, const std::vector<os::Fd>& descriptors) {
    std::optional<int> output, input;
    std::size_t next = 0;
    std::string_view spec_bytes;
    for (Record record; next_record(text, record);) {
      if (record.tag == 'S') spec_bytes = record.bytes;
      if (record.tag != 'o' && record.tag != 'i') continue;
      if (next == descriptors.size())
        return error_answer({Kind::bad_request, "A descriptor was promised and did not come."});
      (record.tag == 'o' ? output : input) = descriptors[next++].get();
    }
    const auto spec = unpack(spec_bytes);
    if (!spec) return error_answer(spec.error());
    const auto running = starter_.start(*spec, output, input);
    if (!running) {
      remove_in_background();
      return error_answer(running.error());
    }
    if (starter_.is_well_stocked())
      refill_from_ = std::max(refill_from_, Steady::now() + refill_after_start);
    return done_answer(std::to_string(running->init_pid) + " " + std::to_string(running->started) +
                       " " + running->address);
  }

  std::string exec(std::string_view text, const std::vector<os::Fd>& descriptors) {
    Record record;
    if (!next_record(text, record) || record.tag != 'S' || descriptors.size() != 3)
      return error_answer({Kind::bad_request, "An exec needs a command and three descriptors."});
    const auto wanted = unpack_exec(record.bytes);
    if (!wanted) return error_answer(wanted.error());
    const auto begun =
        starter_.exec(*wanted, descriptors[0].get(), descriptors[1].get(), descriptors[2].get());
    return begun ? done_answer() : error_answer(begun.error());
  }

  int patience() {
    if (!starter_.tidy()) return tidy_again_ms;
    if (left_ || !starter_.wants_refill()) return -1;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(refill_from_ - Steady::now());
    return static_cast<int>(std::clamp<long long>(wait.count(), 0, 60'000));
  }

  void make_ready() {
    if (left_ || Steady::now() < refill_from_) return;
    try {
      for (int step = 0; step < steps_of_one && starter_.refill(); ++step) continue;
    } catch (const std::exception& error) {
      // Starts will say so as well, to those who wait for them.
      report("spawner", std::string("No sandbox can be made ahead: ") + error.what());
      refill_from_ = Steady::now() + refill_after_trouble;
    }
  }

  // A build leaves a hundred thousand files: a process of its own removes them, one at a time.
  void remove_in_background() {
    if (remover_ > 0) {
      more_to_remove_ = true;
      return;
    }
    const auto process = os::fork_into(0);
    if (process.pid > 0) {
      remover_ = process.pid;
      more_to_remove_ = false;
      return;
    }
    // Or control would not see the end of a spawner that dies meanwhile, nor the next one's turn.
    channel_.close();
    lock_.close();
    try {
      starter_.run_directory().remove_hidden();
    } catch (const std::exception& error) {
      report("spawner", std::string("Files of an ended sandbox are left: ") + error.what());
    }
    _exit(0);
  }

  // Control is gone, and nothing else will ask: what was put off is done now.
  void finish_removing() {
    if (remover_ > 0) waitpid(remover_, nullptr, 0);
    if (more_to_remove_) starter_.run_directory().remove_hidden();
  }

  void reap() {
    signalfd_siginfo info;
    while (read(ended_.get(), &info, sizeof info) > 0) continue;
    for (pid_t pid; (pid = waitpid(-1, nullptr, WNOHANG)) > 0;)
      if (pid == remover_) remover_ = -1;
    if (remover_ < 0 && more_to_remove_) remove_in_background();
  }

  Starter starter_;
  Channel& channel_;
  os::Fd lock_;
  os::Fd ended_;
  pid_t remover_ = -1;
  bool more_to_remove_ = false;
  bool left_ = false;  // the host: what a start needs is not there any more
  Steady::time_point refill_from_ = {};
};

SpawnerOptions options_from(int argc, char** argv) {
  SpawnerOptions options;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--init") options.init_program = argv[i + 1];
    if (name == "--run-directory") options.run_directory = argv[i + 1];
    if (name == "--server-name") options.server_name = argv[i + 1];
    if (name == "--purpose" && std::string_view(argv[i + 1]) == "services")
      options.purpose = Purpose::services;
  }
  return options;
}

}  // namespace

int spawner_main(int argc, char** argv) {
  prctl(PR_SET_DUMPABLE, 0);
  ::signal(SIGPIPE, SIG_IGN);
  // Ctrl-C at the terminal of a server is for control, which then closes its end.
  ::signal(SIGINT, SIG_IGN);
  if (fcntl(3, F_SETFD, FD_CLOEXEC) != 0 || fcntl(4, F_SETFD, FD_CLOEXEC) != 0) {
    report("spawner", "`renga spawner` is started by `renga server`, not by hand.");
    return 2;
  }
  Channel control{os::Fd(3)};
  os::Fd lock(4);
  const auto options = options_from(argc, argv);
  if (options.init_program.empty() || options.run_directory.empty() ||
      options.server_name.empty()) {
    report("spawner", "`renga spawner` was started without its options.");
    return 2;
  }
  try {
    std::optional<Service> service;
    try {
      service.emplace(options, control, std::move(lock));
    } catch (const std::exception& error) {
      // Told to the first request, so that the person who wanted a dyno learns why there is none.
      const auto why = error_answer(
          {Kind::unavailable, std::string("Sandboxes cannot be made here: ") + error.what() + "."});
      if (control.receive()) control.send(why);
      return 1;
    }
    service->serve();
    return 0;
  } catch (const std::exception& error) {
    report("spawner", error.what());
    return 1;
  }
}

}  // namespace renga::sandbox
