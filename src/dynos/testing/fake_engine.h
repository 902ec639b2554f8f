// An engine without processes: what is applied is up at once (or when a test says so), and nothing
// ends but on a test's word. A one-off whose command is `exit N` ends by itself, at once. Safe from
// any thread; events come on the caller's.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/locked.h"
#include "base/text.h"
#include "dynos/engine.h"

namespace renga::dynos {

class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(Clock& clock) : clock_(clock) {}

  // What a test may set before, and ask after.
  bool boots_by_itself = true;
  std::string web_host = "127.0.0.1";
  int web_port = 5000;

  std::optional<AppSpec> applied(const Id<apps::App>& app) {
    auto state = state_.lock();
    const auto found = state->specs.find(app);
    return found == state->specs.end() ? std::nullopt : std::optional(found->second);
  }
  bool started() { return state_.lock()->started; }
  std::vector<OneOff> ran() { return state_.lock()->ran; }
  std::vector<Id<Dyno>> retired_dynos() { return state_.lock()->retired; }

  // All that start of this app come up.
  void come_up(const Id<apps::App>& app) { set_all(app, State::starting, State::up); }
  void crash(const Id<apps::App>& app, const std::string& name) {
    News news;
    {
      auto state = state_.lock();
      for (auto& dyno : state->dynos)
        if (dyno.app == app && dyno.name() == name) change(dyno, State::crashed, news);
    }
    tell(news);
  }
  void end_one_off(const Id<Dyno>& id, int status) {
    News news;
    {
      auto state = state_.lock();
      end(*state, id, status, news);
    }
    tell(news);
  }

  void set_events(EngineEvents events) override { events_ = std::move(events); }
  void start() override { state_.lock()->started = true; }

  void apply(const AppSpec& spec) override {
    News news;
    {
      auto state = state_.lock();
      state->specs.insert_or_assign(spec.app, spec);
      fit(*state, spec, news);
    }
    tell(news);
  }
  void forget(const Id<apps::App>& app) override {
    News news;
    {
      auto state = state_.lock();
      state->specs.erase(app);
      remove(
          *state, [&](const Dyno& dyno) { return dyno.app == app; }, news);
      std::erase_if(state->one_offs, [&](const auto& entry) { return entry.second.app == app; });
    }
    tell(news);
  }
  std::vector<Dyno> dynos(const Id<apps::App>& app) override {
    auto state = state_.lock();
    std::vector<Dyno> all;
    for (const auto& dyno : state->dynos)
      if (dyno.app == app) all.push_back(dyno);
    std::ranges::sort(all, {}, [](const Dyno& dyno) {
      return std::tuple(dyno.type != "web", dyno.type, dyno.number);
    });
    for (const auto& [id, dyno] : state->one_offs)
      if (dyno.app == app && !dyno.exit_status) all.push_back(dyno);
    return all;
  }
  Endpoints endpoints(const Id<apps::App>& app) override {
    auto state = state_.lock();
    Endpoints all;
    for (const auto& dyno : state->dynos) {
      if (dyno.app != app || dyno.type != "web") continue;
      if (dyno.state == State::up) all.up.push_back({dyno.id, dyno.name(), web_host, web_port});
      if (dyno.state == State::starting) all.starting = true;
      if (dyno.state == State::crashed) all.crashed = true;
    }
    if (!all.up.empty() || all.starting) all.crashed = false;
    const auto spec = state->specs.find(app);
    if (spec == state->specs.end() || !spec->second.slug) return all;
    for (const auto& process : spec->second.processes)
      if (process.type == "web") all.web_quantity = process.quantity;
    return all;
  }
  void retired(const Id<Dyno>& dyno) override { state_.lock()->retired.push_back(dyno); }

  Result<void> restart(const Id<apps::App>& app, std::string_view which) override {
    News news;
    {
      auto state = state_.lock();
      const auto spec = state->specs.find(app);
      const auto chosen = [&](const Dyno& dyno) {
        return dyno.app == app && (which.empty() || dyno.type == which || dyno.name() == which);
      };
      bool known = which.empty() || std::ranges::any_of(state->dynos, chosen);
      for (const auto& [id, dyno] : state->one_offs)
        known = known || (chosen(dyno) && !dyno.exit_status);
      if (spec != state->specs.end())
        for (const auto& process : spec->second.processes) known = known || process.type == which;
      if (!known)
        return fail(Kind::not_found, "Couldn't find that dyno (" + std::string(which) + ").");
      remove(*state, chosen, news);
      std::vector<Id<Dyno>> ended;
      for (const auto& [id, dyno] : state->one_offs)
        if (!which.empty() && chosen(dyno) && !dyno.exit_status) ended.push_back(id);
      for (const auto& id : ended) end(*state, id, 143, news);
      if (spec != state->specs.end()) fit(*state, spec->second, news);
    }
    tell(news);
    return {};
  }
  Result<void> stop(const Id<apps::App>& app, std::string_view which) override {
    return restart(app, which);
  }

  Result<Dyno> run(const AppSpec& spec, const OneOff& one_off) override {
    if (!spec.slug)
      return fail(Kind::conflict, "Nothing was deployed to " + spec.app_name + " yet.");
    News news;
    Dyno dyno;
    {
      auto state = state_.lock();
      const auto known = state->one_offs.find(one_off.id);
      if (known != state->one_offs.end()) return known->second;
      state->ran.push_back(one_off);
      dyno = made(spec, one_off.type, 1'000 + static_cast<int>(state->ran.size()), one_off.command,
                  one_off.size);
      dyno.id = one_off.id;
      dyno.state = State::up;
      state->one_offs[dyno.id] = dyno;
      news.changed.push_back(dyno);
      const auto [word, status] = text::split_once(one_off.command, ' ');
      if (word == "exit")
        end(*state, dyno.id, static_cast<int>(text::number(status).value_or(0)), news);
    }
    tell(news);
    return dyno;
  }
  std::optional<Dyno> one_off(const Id<Dyno>& id) override {
    auto state = state_.lock();
    const auto found = state->one_offs.find(id);
    return found == state->one_offs.end() ? std::nullopt : std::optional(found->second);
  }
  void stop_everything() override {
    News news;
    {
      auto state = state_.lock();
      state->specs.clear();
      remove(
          *state, [](const Dyno&) { return true; }, news);
      for (auto& [id, dyno] : state->one_offs)
        if (!dyno.exit_status) end(*state, id, 143, news);
    }
    tell(news);
  }

 private:
  struct Books {
    bool started = false;
    std::map<Id<apps::App>, AppSpec> specs;
    std::vector<Dyno> dynos;  // of formations
    std::map<Id<Dyno>, Dyno> one_offs;
    std::vector<OneOff> ran;
    std::vector<Id<Dyno>> retired;
  };
  struct News {
    std::vector<Dyno> changed;
  };

  Dyno made(const AppSpec& spec, const std::string& type, int number, const std::string& command,
            const std::string& size) {
    Dyno dyno;
    dyno.id = Id<Dyno>::create();
    dyno.app = spec.app;
    dyno.type = type;
    dyno.number = number;
    dyno.command = command;
    dyno.size = size.empty() ? default_size().name : size;
    dyno.state = boots_by_itself ? State::up : State::starting;
    dyno.release = spec.release;
    dyno.release_version = spec.release_version;
    dyno.created_at = dyno.state_since = clock_.now();
    return dyno;
  }
  void change(Dyno& dyno, State next, News& news) {
    dyno.state = next;
    dyno.state_since = clock_.now();
    news.changed.push_back(dyno);
  }
  template <class Chosen>
  void remove(Books& state, Chosen chosen, News& news) {
    for (auto& dyno : state.dynos) {
      if (!chosen(dyno)) continue;
      dyno.exit_status = 143;
      change(dyno, State::down, news);
    }
    std::erase_if(state.dynos, [](const Dyno& dyno) { return dyno.state == State::down; });
  }
  void end(Books& state, const Id<Dyno>& id, int status, News& news) {
    const auto found = state.one_offs.find(id);
    if (found == state.one_offs.end() || found->second.exit_status) return;
    found->second.exit_status = status;
    change(found->second, State::down, news);
  }
  void fit(Books& state, const AppSpec& spec, News& news) {
    const auto quantity = [&](const ProcessSpec& process) {
      return spec.slug && process.type != "release" ? process.quantity : 0;
    };
    remove(
        state,
        [&](const Dyno& dyno) {
          if (dyno.app != spec.app) return false;
          for (const auto& process : spec.processes)
            if (process.type == dyno.type)
              return dyno.number > quantity(process) || dyno.release != spec.release ||
                     dyno.size != process.size;
          return true;
        },
        news);
    for (const auto& process : spec.processes)
      for (int number = 1; number <= quantity(process); ++number) {
        const bool there = std::ranges::any_of(state.dynos, [&](const Dyno& dyno) {
          return dyno.app == spec.app && dyno.type == process.type && dyno.number == number;
        });
        if (there) continue;
        state.dynos.push_back(made(spec, process.type, number, process.command, process.size));
        news.changed.push_back(state.dynos.back());
      }
  }
  void set_all(const Id<apps::App>& app, State from, State to) {
    News news;
    {
      auto state = state_.lock();
      for (auto& dyno : state->dynos)
        if (dyno.app == app && dyno.state == from) change(dyno, to, news);
    }
    tell(news);
  }
  void tell(const News& news) {
    std::vector<Id<apps::App>> apps;
    for (const auto& dyno : news.changed) {
      events_.on_change(dyno);
      if (dyno.type == "web" && std::ranges::find(apps, dyno.app) == apps.end())
        apps.push_back(dyno.app);
    }
    for (const auto& app : apps) events_.on_endpoints_change(app);
  }

  Clock& clock_;
  EngineEvents events_;
  Locked<Books> state_;
};

}  // namespace renga::dynos
