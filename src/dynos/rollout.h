// watch_rollout(): whether a release comes up beside the one that serves, for a person who waits
// for it. What happens to the dynos does not depend on anybody watching.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dynos/dyno.h"

namespace renga::dynos {

// Waits until a web dyno of this release is up or has crashed, at most six seconds, and no longer
// than it `goes_on`. Lines for the person: empty when there is nothing to say, since it is up, or
// no other release serves that would go on. Safe from any thread.
std::string watch_rollout(const std::function<std::vector<Dyno>()>& dynos_of_app,
                          const Id<releases::Release>& release,
                          const std::function<bool()>& goes_on);

}  // namespace renga::dynos
