// The house of the contract that every engine is held to: a machine with an engine and an app on
// it, and the questions its cases (engine_contract_test.h) ask.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <memory>

#include "base/locked.h"
#include "dynos/engine.h"

namespace renga::dynos {

// A machine with an engine on it and an app in its store.
class EngineHouse {
 public:
  virtual ~EngineHouse() = default;
  virtual Engine& engine() = 0;
  virtual Id<apps::App> app() = 0;
  virtual Id<releases::Slug> slug() = 0;
  virtual bool answers(const Endpoint& endpoint) = 0;  // a connection is accepted there
  virtual std::string log() { return ""; }             // for failures
};

struct EngineKind {
  std::string name;
  std::function<std::optional<std::string>()> unsupported;  // why it cannot be tested here
  std::function<std::unique_ptr<EngineHouse>()> make;
};
inline void PrintTo(const EngineKind& kind, std::ostream* out) { *out << kind.name; }

class EngineContract : public testing::TestWithParam<EngineKind> {
 protected:
  static constexpr auto serve =
      "perl -MIO::Socket::INET -e '$s=IO::Socket::INET->new(LocalPort=>$ENV{PORT},Listen=>9,"
      "ReuseAddr=>1) or die; while(1){$c=$s->accept; close $c if $c}'";

  void SetUp() override {
    if (const auto why = GetParam().unsupported()) GTEST_SKIP() << *why;
    house = GetParam().make();
    EngineEvents events;
    // A router that has no request under way.
    events.on_endpoints_change = [this, &engine = engine()](const Id<apps::App>& app) {
      std::set<std::string> now;
      for (const auto& endpoint : engine.endpoints(app).up) now.insert(endpoint.dyno.value);
      for (const auto& before : routed)
        if (!now.contains(before)) engine.retired({before});
      routed = now;
    };
    engine().set_events(events);
    engine().start();
  }
  void TearDown() override {
    if (!house) return;
    if (HasFailure()) std::cerr << house->log();
    engine().forget(house->app());
    house.reset();
  }

  Engine& engine() { return house->engine(); }
  AppSpec spec(int version, std::vector<ProcessSpec> processes) {
    AppSpec made;
    made.app = house->app();
    made.app_name = "sushi";
    made.release = {"release-" + std::to_string(version)};
    made.release_version = version;
    made.slug = house->slug();
    made.stack = "host";
    made.env = {{"GREETING", "hello"}};
    made.processes = std::move(processes);
    return made;
  }
  static ProcessSpec web(int quantity) { return {"web", serve, quantity, "Standard-1X"}; }
  static ProcessSpec worker(int quantity) {
    return {"worker", "sleep 600", quantity, "Standard-1X"};
  }

  std::vector<std::string> shown() {
    std::vector<std::string> all;
    for (const auto& dyno : engine().dynos(house->app()))
      all.push_back(dyno.name() + "@v" + std::to_string(dyno.release_version) + " " +
                    std::string(name_of(dyno.state)));
    return all;
  }
  bool eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      ::poll(nullptr, 0, 10);
    }
    return true;
  }
  bool becomes(const std::vector<std::string>& wanted) {
    if (eventually([&] { return shown() == wanted; })) return true;
    ADD_FAILURE() << "shown: " << testing::PrintToString(shown());
    return false;
  }
  std::set<std::string> ids() {
    std::set<std::string> all;
    for (const auto& dyno : engine().dynos(house->app())) all.insert(dyno.id.value);
    return all;
  }
  OneOff one_off(const std::string& command) {
    OneOff made;
    made.id = Id<Dyno>::create();
    made.command = command;
    return made;
  }

  std::unique_ptr<EngineHouse> house;
  std::set<std::string> routed;
};

}  // namespace renga::dynos
