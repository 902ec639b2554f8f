// Dyno: one lightweight process of an app, as the platform and the API see it. A value.
#pragma once

#include <optional>
#include <string>

#include "releases/release.h"

namespace renga::dynos {

enum class State { starting, up, idle, crashed, down };
std::string_view name_of(State state);     // "starting", …: the API's words
State state_named(std::string_view name);  // the other way round; down for an unknown word

struct Dyno {
  Id<Dyno> id;
  Id<apps::App> app;
  std::string type;  // "web"; "run" and "release" for one-off dynos
  int number = 0;    // web.1: 1; one-off dynos have four digits
  std::string command;
  std::string size;  // "Standard-1X"
  State state = State::starting;
  Id<releases::Release> release;
  int release_version = 0;
  std::optional<int> exit_status;  // of one that has ended
  Time created_at;
  Time state_since;

  std::string name() const { return type + "." + std::to_string(number); }
  bool operator==(const Dyno&) const = default;
};

}  // namespace renga::dynos
