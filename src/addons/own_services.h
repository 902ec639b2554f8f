// The services that the platform itself provides: `scheduler`, whose add-ons are a page for an
// app's scheduled jobs and nothing else. No program stands behind them, and nothing is made.
#pragma once

#include <functional>
#include <memory>

#include "addons/manifest.h"
#include "addons/provider.h"

namespace renga::addons {

inline constexpr std::string_view scheduler_service = "scheduler";

// To be put into the catalog at every start. Its addresses are never called.
Manifest scheduler_manifest();

// Answers for them, and asks `others` for every other service. `scheduler_gone` is told of each of
// the scheduler's add-ons that goes, by uuid; after a crash again.
std::unique_ptr<Provider> with_own_services(
    std::unique_ptr<Provider> others, std::function<void(const std::string& uuid)> scheduler_gone);

}  // namespace renga::addons
