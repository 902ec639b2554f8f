// The services that the platform itself provides: `scheduler`, whose add-ons are a page for an
// app's scheduled jobs and nothing else. No program stands behind them, and nothing is made.
#pragma once

#include <memory>

#include "addons/manifest.h"
#include "addons/provider.h"

namespace renga::addons {

inline constexpr std::string_view scheduler_service = "scheduler";

// To be put into the catalog at every start. Its addresses are never called.
Manifest scheduler_manifest();

// Answers for them, and asks `others` for every other service.
std::unique_ptr<Provider> with_own_services(std::unique_ptr<Provider> others);

}  // namespace renga::addons
