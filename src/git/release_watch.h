// Who waits a while, at the end of a push, for what its release runs.
#pragma once

#include <functional>
#include <string>

#include "apps/app.h"
#include "releases/release.h"

namespace renga::git {

// Waits as long as it `goes_on`; answers what there is to say of the release to the person who
// pushed. Called by the thread of the push's hook.
using ReleaseWatch = std::function<std::string(const apps::App&, const Id<releases::Release>&,
                                               const std::function<bool()>& goes_on)>;

}  // namespace renga::git
