// Log sessions: what `POST /apps/:a/log-sessions` hands out: a capability URL that needs no token, may be
// opened for six minutes, and, once opened, may be re-opened (a tail that reconnects) for a day.
// In memory; a restart of control ends them, and clients ask for new ones.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/locked.h"
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

class Sessions {
 public:
  Sessions(LogStore& store, Clock& clock) : store_(store), clock_(clock) {}

  Session create(const Id<apps::App>& app, Filter filter, std::size_t lines, bool tail);

  // The answer to a GET of a session's URL: Server-Sent Events when the client asks for
  // text/event-stream (ids are places, so Last-Event-ID resumes), else plain text. Comments keep an
  // idle tail alive. 404 for an unknown or expired secret.
  http::Response open(const http::Request& request, const std::string& secret);

 private:
  LogStore& store_;
  Clock& clock_;
  Locked<std::map<std::string, Session>> sessions_;  // by secret; at most 10,000
};

}  // namespace renga::logs
