// Engine: the seam to whatever runs processes. It is told what should be true of an app and makes
// it so, keeps it so (restarts, back-off, rolling replacement), and reports dynos and their states.
// It also runs one-off dynos. Control does not start formation dynos by hand: an engine that hands
// an app to a scheduler of its own (Kubernetes) fits as well as the embedded one.
//
// Safe from any thread, but never inside a transaction: some calls wait for the engine's thread,
// which needs the store. From the engine's events only apply(), dynos(), endpoints(), retired() and
// one_off() may be called. Calls return quickly, run() once the command was started; they may be
// repeated. One contract test (testing/engine_contract_test.h) runs against every engine.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dynos/dyno.h"
#include "dynos/sizes.h"
#include "os/fd.h"

namespace renga::dynos {

struct ProcessSpec {
  std::string type;
  std::string command;
  int quantity = 0;
  std::string size;
  bool operator==(const ProcessSpec&) const = default;
};

// What should be true of an app. An AppSpec without processes (maintenance of the books aside)
// stops all.
struct AppSpec {
  Id<apps::App> app;
  std::string app_name;
  Id<releases::Release> release;
  int release_version = 0;
  std::optional<Id<releases::Slug>> slug;
  std::string stack;
  std::map<std::string, std::string> env;  // config vars and the platform's (HEROKU_APP_NAME, …)
  std::vector<ProcessSpec> processes;
};

struct OneOff {
  Id<Dyno> id;               // chosen by the caller, who can find it again after a crash
  std::string type = "run";  // "run", "release", "scheduler"
  std::string command;
  std::string size;
  std::map<std::string, std::string> env;  // over the AppSpec's
  std::optional<std::chrono::seconds> time_to_live;
  // Gets a copy of the output, with line ends; also after control came back. Empty: only the log.
  std::string output_stream;
  // It waits for attach(), at most half a minute (R13), and its output goes there alone.
  bool attached = false;
};

// A terminal's size, in characters.
struct Window {
  int columns = 80;
  int rows = 24;
};

// The near ends of an attached dyno's streams, non-blocking. With a terminal both are its master
// (reading fails with EIO at the end); without, they are pipes, and closing `input` ends the
// dyno's standard input.
struct Attachment {
  os::Fd input;
  os::Fd output;
  // Of exec() alone: readable when the command has ended, with its status as one int; closing it
  // hangs the command up.
  os::Fd leash = {};
};

// A command beside the one that a dyno runs: as the same user, with the same limits and no more
// rights.
struct Exec {
  std::string command;
  std::map<std::string, std::string> env;  // over the AppSpec's
  std::optional<Window> terminal;
  // Instead of the command: bytes to and from this port of the dyno's own loopback.
  int forward_port = 0;
};

// What news an engine has. Called on the engine's threads; must return quickly.
struct EngineEvents {
  // A dyno was made, changed its state, or (State::down, with exit_status) ended and is gone.
  std::function<void(const Dyno&)> on_change = [](const Dyno&) {};
  // The web dynos of this app that may get requests changed: where they listen, in order of their
  // numbers. The engine waits with stopping a dyno until `retired` was called: the router has let
  // go of it.
  std::function<void(const Id<apps::App>&)> on_endpoints_change = [](const Id<apps::App>&) {};
};

// A web dyno that takes requests.
struct Endpoint {
  Id<Dyno> dyno;
  std::string dyno_name;  // "web.1"
  std::string host;       // numeric
  int port = 0;
  bool operator==(const Endpoint&) const = default;
};

// What the router should do with an app's requests.
struct Endpoints {
  std::vector<Endpoint> up;
  bool starting = false;  // some web dyno is on its way up: hold requests
  bool crashed = false;   // none is up or starting, since they crashed: H10
  int web_quantity = 0;   // in the formation: 0 is H14
  bool operator==(const Endpoints&) const = default;
};

class Engine {
 public:
  virtual ~Engine() = default;

  virtual void set_events(EngineEvents events) = 0;
  // Takes up what ran before (dynos that live are kept), then starts working. Call set_events
  // before it and apply() for every app right after it: an app that is not applied within the
  // engine's start is not touched.
  virtual void start() = 0;

  virtual void apply(const AppSpec& spec) = 0;
  // Stops everything of the app, one-off dynos too, and forgets it. Returns when nothing runs
  // (bounded).
  virtual void forget(const Id<apps::App>& app) = 0;

  // That start, are up or crashed, and not those told to stop. Formation first, web before the
  // others.
  virtual std::vector<Dyno> dynos(const Id<apps::App>& app) = 0;
  // Of all apps, of whatever still runs: those told to stop as well, until they are gone.
  virtual std::vector<Id<releases::Release>> releases_in_use() = 0;
  virtual Endpoints endpoints(const Id<apps::App>& app) = 0;
  // The router no longer sends to this dyno and has no request of it under way (or gave up
  // waiting).
  virtual void retired(const Id<Dyno>& dyno) = 0;

  // Replaces them by fresh ones: all (empty), a type ("web") or one dyno ("web.1"). Rolling for
  // web: none is stopped before its successor is up. Kind::not_found: no such type or dyno.
  virtual Result<void> restart(const Id<apps::App>& app, std::string_view which) = 0;
  // Stops a dyno or a type; formation dynos come back, one-off dynos do not.
  virtual Result<void> stop(const Id<apps::App>& app, std::string_view which) = 0;

  // Needs an apply() of the app before. Kind::conflict: nothing was deployed yet.
  virtual Result<Dyno> run(const AppSpec& spec, const OneOff& one_off) = 0;
  // A one-off that this engine started, ended or not, for a day after its end.
  virtual std::optional<Dyno> one_off(const Id<Dyno>& id) = 0;

  // Starts the command of a one-off that waits for its client, with a terminal of this size or
  // without one. Kind::not_found: none waits (any more). Kind::unavailable: it could not start.
  virtual Result<Attachment> attach(const Id<Dyno>& id, std::optional<Window> terminal) = 0;
  // The client of an attached dyno is gone: it gets SIGHUP, and is stopped if it does not heed it.
  virtual void client_left(const Id<Dyno>& id) = 0;

  // Runs a command in a dyno that is up. `spec` is of the dyno's release. Kind::not_found: it does
  // not run. Kind::unavailable: the command could not start.
  virtual Result<Attachment> exec(const AppSpec& spec, const Id<Dyno>& dyno, const Exec& exec) = 0;

  // Stops all dynos of all apps (server:stop --dynos). Returns when nothing runs (bounded).
  virtual void stop_everything() = 0;
};

}  // namespace renga::dynos
