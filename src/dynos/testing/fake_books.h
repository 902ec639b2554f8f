// What the fake engine knows, and the arithmetic on it. Not safe from threads: FakeEngine locks it.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "dynos/engine.h"

namespace renga::dynos {

class FakeBooks {
 public:
  bool started = false;
  std::map<Id<apps::App>, AppSpec> specs;
  std::vector<Dyno> dynos;  // of formations
  std::map<Id<Dyno>, Dyno> one_offs;
  std::vector<OneOff> ran;
  std::vector<Id<Dyno>> retired;
  std::map<Id<Dyno>, Attachment> processes;  // the far ends of attached ones
  std::vector<Exec> execs;
  std::vector<Id<Dyno>> left;  // by their clients
  std::vector<Dyno> news;      // what changed since they were taken

  static Dyno made(const AppSpec& spec, const std::string& type, int number,
                   const std::string& command, const std::string& size, State state, Time now) {
    Dyno dyno;
    dyno.id = Id<Dyno>::create();
    dyno.app = spec.app;
    dyno.type = type;
    dyno.number = number;
    dyno.command = command;
    dyno.size = size.empty() ? Sizes::usual().standard().name : size;
    dyno.state = state;
    dyno.release = spec.release;
    dyno.release_version = spec.release_version;
    dyno.created_at = dyno.state_since = now;
    return dyno;
  }

  void change(Dyno& dyno, State next, Time now) {
    dyno.state = next;
    dyno.state_since = now;
    news.push_back(dyno);
  }

  template <class Chosen>
  void remove(Chosen chosen, Time now) {
    for (auto& dyno : dynos) {
      if (!chosen(dyno)) continue;
      dyno.exit_status = 143;
      change(dyno, State::down, now);
    }
    std::erase_if(dynos, [](const Dyno& dyno) { return dyno.state == State::down; });
  }

  void end(const Id<Dyno>& id, int status, Time now) {
    const auto found = one_offs.find(id);
    if (found == one_offs.end() || found->second.exit_status) return;
    found->second.exit_status = status;
    change(found->second, State::down, now);
  }

  // Makes the formation's dynos what the spec says; new ones begin in `state`.
  void fit(const AppSpec& spec, State state, Time now) {
    const auto quantity = [&](const ProcessSpec& process) {
      return spec.slug && process.type != "release" ? process.quantity : 0;
    };
    const auto unwanted = [&](const Dyno& dyno) {
      if (dyno.app != spec.app) return false;
      for (const auto& process : spec.processes)
        if (process.type == dyno.type)
          return dyno.number > quantity(process) || dyno.release != spec.release ||
                 dyno.size != process.size;
      return true;
    };
    remove(unwanted, now);
    for (const auto& process : spec.processes)
      for (int number = 1; number <= quantity(process); ++number) {
        const bool there = std::ranges::any_of(dynos, [&](const Dyno& dyno) {
          return dyno.app == spec.app && dyno.type == process.type && dyno.number == number;
        });
        if (there) continue;
        dynos.push_back(
            made(spec, process.type, number, process.command, process.size, state, now));
        news.push_back(dynos.back());
      }
  }

  std::vector<Dyno> living(const Id<apps::App>& app) const {
    std::vector<Dyno> all;
    for (const auto& dyno : dynos)
      if (dyno.app == app) all.push_back(dyno);
    std::ranges::sort(all, {}, [](const Dyno& dyno) {
      return std::tuple(dyno.type != "web", dyno.type, dyno.number);
    });
    for (const auto& [id, dyno] : one_offs)
      if (dyno.app == app && !dyno.exit_status) all.push_back(dyno);
    return all;
  }

  Endpoints endpoints(const Id<apps::App>& app, const std::string& host, int port) const {
    Endpoints all;
    for (const auto& dyno : dynos) {
      if (dyno.app != app || dyno.type != "web") continue;
      if (dyno.state == State::up) all.up.push_back({dyno.id, dyno.name(), host, port});
      if (dyno.state == State::starting) all.starting = true;
      if (dyno.state == State::crashed) all.crashed = true;
    }
    if (!all.up.empty() || all.starting) all.crashed = false;
    const auto spec = specs.find(app);
    if (spec == specs.end() || !spec->second.slug) return all;
    for (const auto& process : spec->second.processes)
      if (process.type == "web") all.web_quantity = process.quantity;
    return all;
  }

  bool knows(const Id<apps::App>& app, std::string_view which) const {
    if (which.empty()) return true;
    for (const auto& dyno : living(app))
      if (dyno.type == which || dyno.name() == which) return true;
    const auto spec = specs.find(app);
    if (spec == specs.end()) return false;
    return std::ranges::any_of(spec->second.processes,
                               [&](const ProcessSpec& process) { return process.type == which; });
  }
};

}  // namespace renga::dynos
