// LogListener: where renga-init sends the output of dynos: a unix socket, and the thread that reads
// what they have. A sender names its dyno and that dyno's secret first, and who is not known is
// hung up on; with it comes the memory that its lines lie in (sandbox/log_ring.h). The thread looks
// into all of them twice a second, so that a thousand dynos with a line each now and then do not
// wake it for each line; it comes at once where somebody waits for lines, and where there are many.
// Dynos reconnect to the same path when control comes back.
//
// An init of an older release has no such memory: its frames come over the socket.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>

#include "apps/app.h"
#include "logs/log_store.h"
#include "sandbox/log_frames.h"

namespace renga::dynos {

class LogListener {
 public:
  struct Sender {
    Id<apps::App> app;
    std::string process;        // "web.1"
    std::string output_stream;  // empty: only the log
  };
  // All are called on the listener's thread.
  using Lookup =
      std::function<std::optional<Sender>(const std::string& id, const std::string& secret)>;
  using Deliver = std::function<logs::Ticket(const Sender&, std::span<const sandbox::LogFrame>)>;
  using Followed = std::function<std::unordered_set<Id<apps::App>>()>;

  // Listens when it returns. Throws when it cannot. `deliver` says when the lines are in the log;
  // `followed` whose lines are waited for.
  LogListener(const std::filesystem::path& socket, Lookup lookup, Deliver deliver,
              Followed followed);
  ~LogListener();
  LogListener(const LogListener&) = delete;
  LogListener& operator=(const LogListener&) = delete;

  // Returns when everything that was sent before the call has been delivered, or at the limit.
  void settle(std::chrono::milliseconds limit);
  // The log has written so much; from any thread.
  void written(logs::Ticket until);
  // Reads nothing any more; what is on its way into the log is still released by written().
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::dynos
