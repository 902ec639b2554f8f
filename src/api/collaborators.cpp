// Collaborator: who else may use an app.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/account_handlers.h"
#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/people_rooms.h"
#include "base/text.h"

namespace renga::api {
namespace {

std::string_view meaning_of(apps::Permission permission) {
  switch (permission) {
    case apps::Permission::view:
      return "See the app, its releases and its log.";
    case apps::Permission::deploy:
      return "Push, release and set config vars.";
    case apps::Permission::operate:
      return "Scale, restart and run dynos.";
    case apps::Permission::manage:
      return "Rename, share and destroy the app.";
  }
  return "";
}

json::object to_json(const Call& call, const apps::App& app,
                     const apps::Collaborator& collaborator) {
  json::array permissions;
  for (const auto permission : PeopleRooms(call.services).grants.of(collaborator))
    permissions.push_back(
        json::object{{"name", apps::word_of(permission)}, {"description", meaning_of(permission)}});
  return {
      {"app", app_ref(app)},
      {"created_at", rfc3339(collaborator.created_at)},
      {"id", collaborator.id.value},
      {"permissions", std::move(permissions)},
      {"role", collaborator.owner ? "owner" : "collaborator"},
      {"updated_at", rfc3339(collaborator.updated_at)},
      {"user", json::object{{"email", collaborator.account.email},
                            {"federated", false},
                            {"id", collaborator.account.id.value}}},
  };
}

// ["view", "deploy"], or the objects that an answer has. Nothing when there is no such member.
Result<std::optional<apps::Permissions>> permissions_in(const json::object& body) {
  using enum apps::Permission;
  const auto* given = TRY(array_in(body, "permissions"));
  if (given == nullptr) return std::nullopt;
  apps::Permissions permissions;
  for (const auto& each : *given) {
    const auto* object = each.if_object();
    const auto* name = object == nullptr ? &each : object->if_contains("name");
    bool known = false;
    for (const auto permission : {view, deploy, operate, manage}) {
      if (name == nullptr || !name->is_string() ||
          std::string_view(name->get_string()) != apps::word_of(permission))
        continue;
      permissions.insert(permission);
      known = true;
    }
    if (!known)
      return fail(Kind::invalid,
                  "`permissions` must be an array of: view, deploy, operate, manage.");
  }
  return permissions;
}

}  // namespace

Result<Answer> collaborator_create(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::manage));
  const auto user = TRY(identity_in(body, "user"));
  if (!user)
    return fail(Kind::invalid, "`user` is required: an e-mail address or an account's id.");
  const auto account =
      *user == "~" ? Result<accounts::Account>(call.account()) : services.accounts.find(*user);
  if (!account)
    return fail(Kind::invalid,
                fmt::format("There is no account {} on this server.", text::printable(*user)));
  const auto permissions = TRY(permissions_in(body));
  auto transaction = services.database.begin();
  const auto collaborator = TRY(services.apps.add_collaborator(app.id, *account));
  if (permissions)
    TRY(PeopleRooms(services).grants.set(services.apps, app.id, collaborator.id.value,
                                         *permissions));
  transaction.commit();
  call.log(app.id, fmt::format("Add {} as collaborator", account->email));
  return created(to_json(call, app, collaborator));
}

Result<Answer> collaborator_list(Call& call) {
  using apps::Collaborator;
  const auto app = TRY(call.app(apps::Permission::view));
  return call.page<Collaborator>(
      call.services.apps.collaborators(app.id),
      {by_text<Collaborator>("email", [](const auto& one) { return one.account.email; }),
       by_text<Collaborator>("id", [](const auto& one) { return one.id.value; })},
      [&](const Collaborator& collaborator) { return to_json(call, app, collaborator); });
}

Result<Answer> collaborator_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(
      call, app,
      TRY(apps::find_collaborator(call.services.apps, app.id, call.param("collaborator")))));
}

// renga's own: Heroku keeps permissions for the apps of teams.
Result<Answer> collaborator_update(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::manage));
  const auto permissions = TRY(permissions_in(body));
  if (!permissions)
    return fail(Kind::invalid,
                "`permissions` is required: an array of view, deploy, operate, manage.");
  const auto collaborator =
      TRY(PeopleRooms(call.services)
              .grants.set(call.services.apps, app.id, call.param("collaborator"), *permissions));
  call.log(app.id, fmt::format("Set permissions of {}", collaborator.account.email));
  return ok(to_json(call, app, collaborator));
}

Result<Answer> collaborator_delete(Call& call) {
  const auto& identity = call.param("collaborator");
  // Everybody may leave; to send others away is the owner's right.
  const bool self = text::equals_ignoring_case(identity, call.account().email) ||
                    identity == call.account().id.value;
  const auto app = TRY(call.app(self ? apps::Permission::view : apps::Permission::manage));
  auto answer =
      to_json(call, app, TRY(apps::find_collaborator(call.services.apps, app.id, identity)));
  const auto collaborator = TRY(call.services.apps.remove_collaborator(app.id, identity));
  call.log(app.id, fmt::format("Remove {} as collaborator", collaborator.account.email));
  return ok(std::move(answer));
}

}  // namespace renga::api
