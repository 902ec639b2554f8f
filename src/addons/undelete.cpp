#include "addons/undelete.h"

#include <fmt/format.h>

namespace renga::addons {

std::vector<Addon> Undelete::candidates() {
  auto all = marketplace_.books.destroyed_since(clock_.now() - kept_for);
  // An add-on that its provider never confirmed was never there.
  std::erase_if(all, [&](const Addon& addon) {
    return !addon.confirmed ||
           marketplace_.catalog.service(addon.service).manifest.data_paths.empty();
  });
  return all;
}

Result<void> Undelete::may_come_back(const Addon& addon, const apps::App& app) {
  if (addon.state == State::deprovisioning)
    return fail(Kind::invalid,
                fmt::format("{} is still being destroyed. Try again when it is gone.", addon.name));
  if (addon.state != State::deprovisioned)
    return fail(Kind::invalid, fmt::format("{} is not destroyed.", addon.name));
  const auto service = marketplace_.catalog.service(addon.service);
  if (!addon.confirmed || service.manifest.data_paths.empty())
    return fail(Kind::invalid, fmt::format("The provider of {} keeps nothing of it.", addon.name));
  if (!addon.gone_at || *addon.gone_at + kept_for <= clock_.now())
    return fail(Kind::invalid, fmt::format("{} was destroyed more than 7 days ago, and its data is "
                                           "gone.",
                                           addon.name));
  const auto other = marketplace_.books.find_by_name(addon.name);
  if (other && other->id != addon.id && other->state != State::deprovisioned)
    return fail(Kind::invalid,
                fmt::format("Another add-on is called {} now. Rename that one first.", addon.name));
  return marketplace_.addons.has_room(app, service);
}

Result<Addon> Undelete::bring_back(const Addon& addon, const apps::App& app,
                                   const accounts::Account& user) {
  auto& provisioner = marketplace_.provisioner;
  const auto claim = provisioner.claim(addon.id, addon.service);
  if (!claim)
    return fail(Kind::unavailable,
                fmt::format("The provider of {} is busy. Try again in a moment.", addon.name));
  {
    auto transaction = database_.begin();
    auto now = marketplace_.books.find(addon.id);
    if (!now) return fail(Kind::not_found, "Couldn't find that add-on.");
    TRY(may_come_back(*now, app));
    // That it was destroyed stays written down until it is back: who may bring it back, and until
    // when, is the same after an attempt that fails.
    now->app = app.id;
    now->app_name = app.name;
    now->user = user.id;
    // Its time to be asked for, should control die meanwhile, begins now.
    now->created_at = clock_.now();
    now->state = State::provisioning;
    now->task = Task::provision;
    now->attempts = 0;
    now->announced = true;  // there is no attachment to announce
    now->due_at = clock_.now();
    marketplace_.books.update(*now);
    transaction.commit();
  }
  TRY(provisioner.carry_out(*claim, Patience::none));
  auto now = marketplace_.books.find(addon.id);
  if (!now) return fail(Kind::not_found, "Couldn't find that add-on.");
  return *std::move(now);
}

}  // namespace renga::addons
