// plan(): what to start and what to stop so that a process type comes nearer to what should run.
// Pure: it looks at one process type and its dynos as they are now, and is asked again after every
// change, until it has nothing to say.
//
// Web dynos roll: number n of the new release starts next to the old number n, and the old one goes
// once the new one is up, so that a release that does not come up leaves the old one serving. All
// other types stop first and start then, since two workers of one number may not run at once.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "dynos/dyno.h"
#include "dynos/engine.h"

namespace renga::dynos {

// One dyno of the type, as far as planning minds.
struct Present {
  Id<Dyno> id;
  int number = 0;
  bool fresh = false;  // of the release and size that should run, and nobody asked for another
  State state = State::starting;
  bool stopping = false;  // told to, and not gone yet
  int crashes = 0;        // of a crashed one: in a row
  Time retry_at;          // of a crashed one: not before
};

struct Start {
  int number = 0;
  int crashes = 0;                 // the past that the new one carries on
  std::vector<Id<Dyno>> replaces;  // crashed ones, whose rows go
  bool operator==(const Start&) const = default;
};

struct Plan {
  std::vector<Id<Dyno>> stop;
  std::vector<Start> start;
  std::vector<Id<Dyno>> clear;  // crashed ones that nothing replaces
  std::optional<Time> again;    // when a crashed one may be tried again
};

// `surge`: how many web dynos may start next to the ones that they replace.
Plan plan(const ProcessSpec& wanted, std::span<const Present> present, Time now, int surge);

}  // namespace renga::dynos
