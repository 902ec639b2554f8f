#include "addons/undelete.h"

#include <fmt/format.h>

namespace renga::addons {

std::vector<Addon> Undelete::candidates() {
  // An add-on that its provider never confirmed was never there.
  const auto ids = database_.all(
      "SELECT id FROM addons WHERE state = 'deprovisioned' AND confirmed = 1 AND updated_at > ? "
      "ORDER BY updated_at DESC",
      [](const store::Row& row) { return row.id<Addon>(0); }, clock_.now() - kept_for);
  std::vector<Addon> all;
  for (const auto& id : ids)
    if (auto addon = marketplace_.books.find(id);
        addon && !marketplace_.catalog.service(addon->service).manifest.data_paths.empty())
      all.push_back(*std::move(addon));
  return all;
}

Result<void> Undelete::may_come_back(const Addon& addon) {
  if (addon.state != State::deprovisioned)
    return fail(Kind::invalid, fmt::format("{} is not destroyed.", addon.name));
  const auto service = marketplace_.catalog.service(addon.service);
  if (!addon.confirmed || service.manifest.data_paths.empty())
    return fail(Kind::invalid, fmt::format("The provider of {} keeps nothing of it.", addon.name));
  if (addon.updated_at + kept_for < clock_.now())
    return fail(Kind::invalid, fmt::format("{} was destroyed more than 7 days ago, and its data is "
                                           "gone.",
                                           addon.name));
  const auto other = marketplace_.books.find_by_name(addon.name);
  if (other && other->id != addon.id)
    return fail(Kind::invalid,
                fmt::format("Another add-on is called {} now. Rename that one first.", addon.name));
  return {};
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
    TRY(may_come_back(*now));
    // Its time to be asked for, should control die meanwhile, begins now.
    database_.run("UPDATE addons SET app = ?, user = ?, created_at = ? WHERE id = ?", app.id,
                  user.id, clock_.now(), now->id);
    now->app_name = app.name;
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
