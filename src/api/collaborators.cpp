// Collaborator: who else may use an app.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/text.h"

namespace renga::api {
namespace {

json::object to_json(const apps::App& app, const apps::Collaborator& collaborator) {
  json::array permissions{
      json::object{{"name", "view"}, {"description", "See the app, its releases and its log."}},
      json::object{{"name", "deploy"}, {"description", "Push, release and set config vars."}},
      json::object{{"name", "operate"}, {"description", "Scale, restart and run dynos."}}};
  if (collaborator.owner)
    permissions.push_back(
        json::object{{"name", "manage"}, {"description", "Rename, share and destroy the app."}});
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
  const auto collaborator = TRY(services.apps.add_collaborator(app.id, *account));
  call.log(app.id, fmt::format("Add {} as collaborator", account->email));
  return created(to_json(app, collaborator));
}

Result<Answer> collaborator_list(Call& call) {
  using apps::Collaborator;
  const auto app = TRY(call.app(apps::Permission::view));
  return call.page<Collaborator>(
      call.services.apps.collaborators(app.id),
      {by_text<Collaborator>("email", [](const auto& one) { return one.account.email; }),
       by_text<Collaborator>("id", [](const auto& one) { return one.id.value; })},
      [&](const Collaborator& collaborator) { return to_json(app, collaborator); });
}

Result<Answer> collaborator_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  const auto& identity = call.param("collaborator");
  for (const auto& one : call.services.apps.collaborators(app.id))
    if (one.id.value == identity || one.account.id.value == identity ||
        text::equals_ignoring_case(one.account.email, identity))
      return ok(to_json(app, one));
  return fail(Kind::not_found, "Couldn't find that collaborator.");
}

Result<Answer> collaborator_delete(Call& call) {
  const auto& identity = call.param("collaborator");
  // Everybody may leave; to send others away is the owner's right.
  const bool self = text::equals_ignoring_case(identity, call.account().email) ||
                    identity == call.account().id.value;
  const auto app = TRY(call.app(self ? apps::Permission::view : apps::Permission::manage));
  const auto collaborator = TRY(call.services.apps.remove_collaborator(app.id, identity));
  call.log(app.id, fmt::format("Remove {} as collaborator", collaborator.account.email));
  return ok(to_json(app, collaborator));
}

}  // namespace renga::api
