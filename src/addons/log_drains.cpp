#include "addons/log_drains.h"

#include <fmt/format.h>

#include <algorithm>

namespace renga::addons {

Result<void> LogDrains::may_have(const Addon& addon) {
  const auto service = catalog_.service(addon.service);
  if (!service.manifest.syslog_drain)
    return fail(Kind::forbidden,
                fmt::format("The manifest of {} does not ask for log drains. Put syslog_drain into "
                            "`requires` and register it again.",
                            service.name()));
  const auto now = books_.find(addon.id);
  if (!now || (now->state != State::provisioned && now->state != State::provisioning))
    return fail(Kind::invalid, fmt::format("{} is about to go, or gone.", addon.name));
  return {};
}

Result<logs::Drain> LogDrains::add(const Addon& addon, std::string_view url) {
  auto transaction = database_.begin();
  TRY(may_have(addon));
  const auto others = all(addon);
  if (std::ranges::any_of(others, [&](const auto& other) { return other.url == url; }))
    return fail(Kind::invalid, "This add-on has a drain with that URL already.");
  if (others.size() >= most)
    return fail(Kind::invalid,
                fmt::format("An add-on has at most {} drains. Remove one first.", most));
  auto drain = TRY(drains_.put_of_addon(addon.app, addon.id.value, "d." + new_uuid(), url));
  transaction.commit();
  drains_.follow();
  return drain;
}

Result<logs::Drain> LogDrains::move(const Addon& addon, std::string_view identity,
                                    std::string_view url) {
  auto transaction = database_.begin();
  const auto found = TRY(find(addon, identity));
  auto drain = TRY(drains_.put_of_addon(found.app, addon.id.value, found.token, url));
  transaction.commit();
  drains_.follow();
  return drain;
}

Result<logs::Drain> LogDrains::remove(const Addon& addon, std::string_view identity) {
  auto drain = TRY(find(addon, identity));
  drains_.remove_of_addon(addon.id.value, drain.token);
  drains_.follow();
  return drain;
}

Result<void> LogDrains::put_first(const Addon& addon, std::string_view url) {
  TRY(drains_.put_of_addon(addon.app, addon.id.value, first_token(addon), url));
  return {};
}

}  // namespace renga::addons
