#include "addons/owed_releases.h"

#include <fmt/format.h>

#include "addons/names.h"

namespace renga::addons {

apps::ConfigVars OwedReleases::vars_of(const Id<apps::App>& app) {
  apps::ConfigVars vars;
  for (const auto& attachment : books_.attachments_on(app)) {
    const auto addon = books_.find(attachment.addon);
    if (!addon || addon->state != State::provisioned || attachment.name.front() == taking_over)
      continue;
    const auto manifest = catalog_.service(addon->service).manifest;
    for (const auto& [var, value] : books_.config(addon->id, attachment.name_space.value_or("")))
      vars[var_on(attachment.name, manifest, var)] = value;
  }
  return vars;
}

std::vector<std::string> OwedReleases::var_names(const Attachment& attachment, const Addon& addon) {
  const auto manifest = catalog_.service(addon.service).manifest;
  const auto& name =
      attachment.name.front() == taking_over ? attachment.name.substr(1) : attachment.name;
  std::vector<std::string> names;
  for (const auto& [var, value] : books_.config(addon.id, attachment.name_space.value_or("")))
    names.push_back(var_on(name, manifest, var));
  return names;
}

std::optional<std::string> OwedReleases::email_of(const Id<accounts::Account>& user) {
  if (const auto account = accounts_.find(user)) return account->email;
  if (const auto service = catalog_.service(user.value))
    return service->name() + "@addons.heroku.com";
  return std::nullopt;
}

// Within the transaction of the release that it becomes.
std::optional<releases::NewRelease> OwedReleases::next(const Id<apps::App>& app) {
  const auto owed = books_.take_owed(app);
  if (!owed) return std::nullopt;
  releases::NewRelease release;
  release.description = owed->description;
  release.user = owed->user;
  release.deploy = owed->command;
  release.addons.emplace();
  release.addons->vars = vars_of(app);
  for (const auto& addon : books_.all_on(app))
    if (addon.state == State::provisioned)
      release.addons->plans.push_back(catalog_.plan(addon.plan).full_name());

  // A var that was set by hand and is an add-on's now was given up, with a confirmation.
  auto by_hand = releases_.config_by_hand(releases_.newest(app));
  if (std::erase_if(by_hand,
                    [&](const auto& var) { return release.addons->vars.contains(var.first); }) > 0)
    release.config = std::move(by_hand);
  return release;
}

void OwedReleases::pay() {
  for (const auto& app : books_.owed_apps())
    while (const auto release = releases_.append_with(app, [&] { return next(app); })) {
      const auto email = email_of(release->user).value_or("deleted@localhost");
      const auto say = [&](const std::string& what) {
        logs_.append(app, {clock_.now(), "app", "api", fmt::format("{} by user {}", what, email)});
      };
      say(release->description);
      say(fmt::format("Release v{} created", release->version));
    }
}

}  // namespace renga::addons
