// Log sessions: what `POST /apps/:a/log-sessions` hands out: a capability URL that needs no token,
// may be opened for six minutes, and, once opened, may be re-opened (a tail that reconnects) for a
// day. In memory; a restart of control ends them, and clients ask for new ones. Safe from any
// thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "http/message.h"
#include "logs/log_store.h"

namespace renga::logs {

struct Session {
  std::string id;      // a UUID, for the API's object
  std::string secret;  // in its URL
  Id<apps::App> app;
  Filter filter;
  std::size_t lines = 100;
  bool tail = false;
  Time created_at;
};

struct SessionsOptions {
  std::chrono::milliseconds ping_every = std::chrono::seconds(20);  // in real time, not the clock's
  std::size_t most = 10'000;  // sessions; past it the oldest ones end
};

class Sessions {
 public:
  Sessions(LogStore& store, Clock& clock, SessionsOptions options = {});
  // Ends every tail.
  ~Sessions();
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  // Instead of a number of lines: all that the filter accepts.
  static constexpr std::size_t everything = SIZE_MAX;
  // At most 1,500 lines, or everything.
  Session create(const Id<apps::App>& app, Filter filter, std::size_t lines, bool tail);

  // The answer to a GET of a session's URL: Server-Sent Events when the client asks for
  // text/event-stream (ids are places, so Last-Event-ID resumes), else plain text. Comments keep an
  // idle tail alive. An open tail holds no thread; one that is not read fast enough loses lines and
  // is told so by an L11 line. 404 for an unknown or expired secret.
  http::Response open(const http::Request& request, const std::string& secret);

  // Tails that are open now.
  std::size_t open_tails() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace renga::logs
