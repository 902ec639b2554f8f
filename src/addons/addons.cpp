// The part of Addons that makes, changes and destroys them, for people.
#include "addons/addons.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "addons/names.h"
#include "base/text.h"

namespace renga::addons {
namespace {

constexpr std::size_t largest_options = 16'384;
constexpr int made_up_attempts = 20;

Result<void> check_options(const std::map<std::string, std::string>& options) {
  std::size_t size = 0;
  for (const auto& [name, value] : options) size += name.size() + value.size();
  if (size > largest_options)
    return fail(Kind::invalid, "The options of an add-on may take 16 KiB altogether.");
  return {};
}

}  // namespace

Addon Addons::fresh(const Addon& addon) {
  auto now = books_.find(addon.id);
  if (!now) throw std::runtime_error("the add-on " + addon.name + " is gone");
  return *std::move(now);
}

Result<void> Addons::has_room(const apps::App& app, const Service& service) {
  TRY(apps_.find(app.id));
  const auto there = books_.all_on(app.id);
  if (there.size() >= most_addons)
    return fail(Kind::invalid, fmt::format("{} has 100 add-ons already.", app.name));
  const bool has_one = std::ranges::any_of(there, [&](const Addon& other) {
    return other.service == service.id && other.state != State::deprovisioning;
  });
  if (has_one && !service.manifest.many_per_app)
    return fail(Kind::invalid,
                fmt::format("{} has an add-on of {} already, and there can be one an app.",
                            app.name, service.name()));
  return {};
}

Result<Addon> Addons::create(const apps::App& app, const accounts::Account& user,
                             const NewAddon& wanted) {
  const auto plan = TRY(catalog_.plan(wanted.plan));
  TRY(check_options(wanted.options));
  if (!wanted.name.empty()) TRY(check_addon_name(wanted.name));

  Addon addon;
  addon.id = Id<Addon>::create();
  // Claimed before anybody else can see it, so that the one who waits is the one who asks.
  const auto claim = provisioner_.claim(addon.id, plan.service);
  {
    auto transaction = database_.begin();
    const auto service = catalog_.service(plan.service);
    if (service.manifest.state == "shutdown")
      return fail(Kind::invalid, fmt::format("{} takes no new add-ons.", service.name()));
    TRY(has_room(app, service));

    addon.name = wanted.name.empty() ? made_up_addon_name(service.name()) : wanted.name;
    const auto taken = [&] {
      const auto other = books_.find_by_name(addon.name);
      return other && other->state != State::deprovisioned;
    };
    for (int attempt = 1; taken(); ++attempt) {
      if (!wanted.name.empty()) return fail(Kind::invalid, "Name is already taken");
      if (attempt == made_up_attempts)
        return fail(Kind::invalid, "No free name was found for the add-on. Give it one.");
      addon.name = made_up_addon_name(service.name());
    }
    const auto name = TRY(choose_name(app, service, wanted.attachment, wanted.confirm));

    const auto now = clock_.now();
    addon.app = app.id;
    addon.app_name = app.name;
    addon.service = service.id;
    addon.plan = plan.id;
    addon.user = user.id;
    addon.task = Task::provision;
    addon.due_at = now;
    addon.created_at = now;
    addon.updated_at = now;
    books_.insert(addon, wanted.options);
    books_.insert({.id = Id<Attachment>::create(),
                   .addon = addon.id,
                   .app = app.id,
                   .name = (name.takes_over ? std::string(1, taking_over) : "") + name.name,
                   .name_space = std::nullopt,
                   .created_at = now,
                   .updated_at = now});
    transaction.commit();
  }
  if (!claim) {
    provisioner_.poke();
    return addon;
  }
  TRY(provisioner_.carry_out(*claim, Patience::none));
  return fresh(addon);
}

Result<Addon> Addons::change_plan(const Addon& addon, std::string_view wanted) {
  const auto plan = TRY(catalog_.plan(wanted));
  if (plan.service != addon.service)
    return fail(Kind::invalid,
                fmt::format("{} is no plan of {}'s service.", plan.full_name(), addon.name));
  {
    auto transaction = database_.begin();
    auto now = fresh(addon);
    if (now.state != State::provisioned)
      return fail(Kind::invalid,
                  fmt::format("{} is not provisioned, so its plan cannot be changed.", now.name));
    if (now.task == Task::none && now.plan == plan.id) return now;
    now.task = Task::update;
    now.wanted_plan = plan.id;
    now.attempts = 0;
    now.due_at = clock_.now();
    books_.update(now);
    transaction.commit();
  }
  const auto claim = provisioner_.claim(addon.id, addon.service);
  if (!claim) {
    provisioner_.poke();
    return fail(Kind::unavailable,
                fmt::format("The provider of {} is busy with it. The plan changes when it is done.",
                            addon.name));
  }
  TRY(provisioner_.carry_out(*claim, Patience::none));
  return fresh(addon);
}

Result<Addon> Addons::rename(const Addon& addon, std::string_view name) {
  TRY(check_addon_name(name));
  auto transaction = database_.begin();
  auto now = fresh(addon);
  const auto other = books_.find_by_name(name);
  if (other && other->id != now.id && other->state != State::deprovisioned)
    return fail(Kind::invalid, "Name is already taken");
  now.name = name;
  books_.update(now);
  transaction.commit();
  return now;
}

Result<Addon> Addons::destroy(const Addon& addon, const accounts::Account& user,
                              Elsewhere elsewhere) {
  {
    auto transaction = database_.begin();
    auto now = fresh(addon);
    if (now.state == State::deprovisioned) return now;
    if (now.state != State::deprovisioning) {
      std::vector<std::string> others;
      for (const auto& attachment : books_.attachments_of(addon.id))
        if (attachment.app != now.app)
          if (const auto app = apps_.find(attachment.app);
              app && std::ranges::find(others, app->name) == others.end())
            others.push_back(app->name);
      if (!others.empty() && elsewhere == Elsewhere::refuse)
        return fail(Kind::invalid,
                    fmt::format("{} is attached to other apps: {}. Detach it there first, or use "
                                "--force.",
                                now.name, text::join(others, ", ")));
      provisioner_.begin_deprovisioning(now, user.id);
    }
    transaction.commit();
  }
  if (const auto claim = provisioner_.claim(addon.id, addon.service))
    (void)provisioner_.carry_out(*claim, Patience::none);  // asked again, if need be
  else
    provisioner_.poke();
  provisioner_.settle();
  return fresh(addon);
}

void Addons::app_destroyed(const Id<apps::App>& app, const accounts::Account& user) {
  for (auto& addon : books_.all_on(app)) {
    if (const auto now = apps_.find(app)) addon.app_name = now->name;
    if (addon.state == State::deprovisioning)
      books_.update(addon);
    else
      provisioner_.begin_deprovisioning(addon, user.id);
  }
}

// What a provider says of its add-on
// ----------------------------------------------------------------

Result<Addons::Config> Addons::set_config(
    const Addon& addon, std::string_view name_space,
    const std::map<std::string, std::optional<std::string>>& changes) {
  const auto manifest = catalog_.service(addon.service).manifest;
  std::size_t size = 0;
  for (const auto& [var, value] : changes) {
    if (!manifest.has_var(var))
      return fail(Kind::invalid, fmt::format("{} is not among the config vars of the manifest.",
                                             text::printable(var.substr(0, 100))));
    if (value && value->contains('\0'))
      return fail(Kind::invalid, fmt::format("The value of {} has a NUL byte in it.", var));
    size += var.size() + (value ? value->size() : 0);
  }
  if (size > 64 * 1024)
    return fail(Kind::invalid, "An add-on's config may take 64 KiB altogether.");

  Config after;
  {
    auto transaction = database_.begin();
    const auto now = fresh(addon);
    if (now.state != State::provisioning && now.state != State::provisioned)
      return fail(Kind::invalid, fmt::format("{} is on its way out.", now.name));
    const auto before = books_.config(addon.id, name_space);
    after = before;
    for (const auto& [var, value] : changes) {
      if (value)
        after[var] = *value;
      else
        after.erase(var);
    }
    if (after != before) {
      books_.set_config(addon.id, name_space, after);
      if (now.state == State::provisioned)
        provisioner_.owe_update(
            now, name_space.empty() ? std::nullopt : std::optional<std::string>(name_space));
    }
    transaction.commit();
  }
  owed_.pay();
  return after;
}

Result<Addon> Addons::provisioned(const Addon& addon) {
  {
    auto transaction = database_.begin();
    auto now = fresh(addon);
    if (now.state == State::provisioned) return now;
    if (now.state != State::provisioning)
      return fail(Kind::invalid, fmt::format("{} is on its way out.", now.name));
    provisioner_.finish_provisioning(now);
    transaction.commit();
  }
  owed_.pay();
  return fresh(addon);
}

Result<Addon> Addons::deprovisioned(const Addon& addon) {
  {
    auto transaction = database_.begin();
    auto now = fresh(addon);
    if (now.state == State::deprovisioned) return now;
    if (now.state == State::provisioning) now.message = "The provider could not provision it.";
    provisioner_.finish_deprovisioning(now);
    transaction.commit();
  }
  provisioner_.settle();
  return fresh(addon);
}

}  // namespace renga::addons
