// Rendezvous: where the clients of attached one-off dynos find them. Each such dyno has a secret;
// who sends it as the first line of a TLS connection is the dyno's client. Once: a secret that was
// used, or whose dyno has ended, is as good as a wrong one. Safe from any thread.
//
//   const auto secret = TRY(rendezvous.expect(id, Window()));   // then Engine::run()
//   attach_url = "rendezvous://HOST:PORT/" + secret
//
// The client sends `SECRET\r\n`, or `SECRET?frames\r\n` for net/frames.h, and hears `rendezvous`.
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/locked.h"
#include "dynos/engine.h"
#include "dynos/session.h"

namespace renga::dynos {

class Rendezvous {
 public:
  static constexpr std::size_t most = 256;  // dynos that wait, and clients, together

  explicit Rendezvous(Engine& engine, SessionOptions options = {})
      : engine_(engine), options_(options) {}
  // Lets every client go. The http::Server of the connections must have been closed before.
  ~Rendezvous();
  Rendezvous(const Rendezvous&) = delete;
  Rendezvous& operator=(const Rendezvous&) = delete;

  // A secret for a dyno that is about to wait. Kind::rate_limited: there are too many.
  Result<std::string> expect(const Id<Dyno>& dyno, std::optional<Window> terminal);
  // A secret for a command beside a dyno that is up: it starts when its client comes, within half a
  // minute.
  Result<std::string> expect_exec(const AppSpec& spec, const Id<Dyno>& dyno, const Exec& exec);
  // The dyno does not come after all.
  void forget(const Id<Dyno>& dyno);
  // To be told of every change (EngineEvents::on_change). Never blocks.
  void dyno_changed(const Dyno& dyno);
  // http::ServerOptions::on_line. Starts the command, and returns once it runs.
  void on_line(const std::string& line, std::shared_ptr<http::RawConnection> connection);

 private:
  struct Waiting {
    Id<Dyno> dyno;
    std::optional<Window> terminal;
    std::optional<std::pair<AppSpec, Exec>> exec = {};
    std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  };
  Result<std::string> expect(Waiting waiting);
  struct Books {
    std::map<std::string, Waiting> waiting;  // by secret
    std::list<std::shared_ptr<Session>> sessions;
  };
  void sweep();

  Engine& engine_;
  SessionOptions options_;
  Locked<Books> books_;
};

}  // namespace renga::dynos
