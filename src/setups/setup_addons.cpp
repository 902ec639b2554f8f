#include "setups/setup_addons.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <set>

#include "addons/names.h"
#include "base/text.h"

namespace renga::setups {
namespace json = boost::json;

namespace {

// A provider that gives no answer, or none that is understood, is asked again.
constexpr int most_attempts = 5;
constexpr std::chrono::seconds pause{5};
constexpr int name_attempts = 20;

std::string context_of(const std::string& setup, std::int64_t position) {
  return fmt::format("app-setup-addon/{}/{}", setup, position);
}

}  // namespace

struct SetupAddons::Wanted {
  std::int64_t position = 0;
  std::string plan, attachment, options, name;
  int attempts = 0;
  Time due_at;
};

std::vector<std::string> SetupAddons::mistakes(const std::vector<AddonWish>& wishes) {
  if (wishes.size() > addons::most_addons)
    return {fmt::format("addons: an app can have {}.", addons::most_addons)};
  std::vector<std::string> all;
  std::set<std::string> names;
  for (const auto& wish : wishes) {
    const auto shown = text::printable(wish.plan.substr(0, 100));
    if (const auto plan = catalog_.plan(wish.plan); !plan)
      all.push_back(
          fmt::format("addons: {} is no plan of this server's; `renga addons:services` lists what "
                      "there is.",
                      shown));
    else if (catalog_.service(plan->service).manifest.state == "shutdown")
      all.push_back(fmt::format("addons: {} takes no new add-ons.", plan->service_name));
    if (wish.as.empty()) continue;
    const auto name = addons::attachment_name(wish.as);
    if (!name)
      all.push_back("addons: " + name.error().message);
    else if (!names.insert(*name).second)
      all.push_back(fmt::format("addons: two of them are to be attached as {}.", *name));
  }
  return all;
}

void SetupAddons::ask(const std::string& setup, const std::vector<AddonWish>& wishes) {
  std::int64_t position = 0;
  for (const auto& wish : wishes) {
    json::object options;
    for (const auto& [name, value] : wish.options) options[name] = value;
    // A plan may be given by its id, of which no add-on could have its name.
    const auto plan = catalog_.plan(wish.plan);
    database_.run(
        "INSERT INTO app_setup_addons (setup, position, plan, attachment, options, name, due_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        setup, position, plan ? plan->full_name() : wish.plan, wish.as,
        store::Blob{box_.seal(json::serialize(options), context_of(setup, position))},
        free_name(plan ? plan->service_name : "addon"), clock_.now());
    ++position;
  }
}

// As good as free: who takes it in between fails the setup, which says so.
std::string SetupAddons::free_name(const std::string& service) {
  auto name = addons::made_up_addon_name(service);
  for (int attempt = 1; attempt < name_attempts && addons_.find(name); ++attempt)
    name = addons::made_up_addon_name(service);
  return name;
}

Result<bool> SetupAddons::ready(const std::string& setup, const apps::App& app,
                                const accounts::Account& user) {
  const auto all = database_.all(
      "SELECT position, plan, attachment, options, name, attempts, due_at FROM app_setup_addons "
      "WHERE setup = ? ORDER BY position",
      [](const store::Row& row) {
        return Wanted{.position = row.integer(0),
                      .plan = row.text(1),
                      .attachment = row.text(2),
                      .options = row.text(3),
                      .name = row.text(4),
                      .attempts = static_cast<int>(row.integer(5)),
                      .due_at = row.time(6)};
      },
      setup);
  bool complete = true;
  for (const auto& wanted : all) complete = TRY(one_ready(setup, wanted, app, user)) && complete;
  if (complete && !all.empty()) addons_.settle();
  return complete;
}

Result<bool> SetupAddons::one_ready(const std::string& setup, const Wanted& wanted,
                                    const apps::App& app, const accounts::Account& user) {
  const auto failed = [&](std::string_view why) {
    return fail(Kind::invalid,
                fmt::format("The add-on {} could not be made. {}", wanted.plan, why));
  };
  const auto found = addons_.find(wanted.name);
  const bool ours = found && found->app == app.id;
  if (found && found->state != addons::State::deprovisioned) {
    if (!ours) return failed(fmt::format("The name {} is another add-on's.", wanted.name));
    if (found->state == addons::State::provisioned) return true;
    // On its way in; or out, since its provider gave no answer, and then it is asked for again.
    return false;
  }
  // The provider had agreed, and then it said no, or somebody destroyed it.
  if (ours && found->confirmed)
    return failed(found->message.empty() ? "It was destroyed." : found->message);
  if (wanted.due_at > clock_.now()) return false;
  database_.run(
      "UPDATE app_setup_addons SET attempts = attempts + 1, due_at = ? WHERE setup = ? AND "
      "position = ?",
      clock_.now() + pause, setup, wanted.position);
  addons::NewAddon addon{.plan = wanted.plan,
                         .name = wanted.name,
                         .attachment = wanted.attachment,
                         .options = {},
                         .confirm = {}};
  const auto options = json::parse(box_.open(wanted.options, context_of(setup, wanted.position)));
  for (const auto& [name, value] : options.as_object())
    addon.options[std::string(name)] = std::string(value.as_string());
  const auto made = addons_.create(app, user, addon);
  if (made) return made->state == addons::State::provisioned;
  if (made.error().kind == Kind::unavailable && wanted.attempts + 1 < most_attempts) return false;
  return failed(made.error().message);
}

}  // namespace renga::setups
