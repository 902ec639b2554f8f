// LogListener: where renga-init sends the output of dynos: a unix socket, and the thread that reads
// it. A sender names its dyno and that dyno's secret first; who is not known is hung up on. Dynos
// reconnect to the same path when control comes back. While little is said the thread rests between
// two looks, so that a thousand dynos with a line each now and then do not wake it for each line.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "apps/app.h"
#include "sandbox/log_frames.h"

namespace renga::dynos {

class LogListener {
 public:
  struct Sender {
    Id<apps::App> app;
    std::string process;        // "web.1"
    std::string output_stream;  // empty: only the log
  };
  // Both are called on the listener's thread.
  using Lookup =
      std::function<std::optional<Sender>(const std::string& id, const std::string& secret)>;
  using Deliver = std::function<void(const Sender&, std::span<const sandbox::LogFrame>)>;

  // Listens when it returns. Throws when it cannot.
  LogListener(const std::filesystem::path& socket, Lookup lookup, Deliver deliver);
  ~LogListener();
  LogListener(const LogListener&) = delete;
  LogListener& operator=(const LogListener&) = delete;

  // Returns when everything that was sent before the call has been delivered, or at the limit.
  void settle(std::chrono::milliseconds limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::dynos
