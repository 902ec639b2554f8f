#include "dynos/dyno.h"

namespace renga::dynos {

std::string_view name_of(State state) {
  switch (state) {
    case State::starting:
      return "starting";
    case State::up:
      return "up";
    case State::idle:
      return "idle";
    case State::crashed:
      return "crashed";
    case State::down:
      return "down";
  }
  return "down";
}

State state_named(std::string_view name) {
  for (const auto state : {State::starting, State::up, State::idle, State::crashed})
    if (name_of(state) == name) return state;
  return State::down;
}

}  // namespace renga::dynos
