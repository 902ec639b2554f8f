// Destroyed add-ons that come back: renga's own, since at Heroku it is a matter for its support.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "addons/undelete.h"
#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "api/body.h"
#include "api/small_lists.h"

namespace renga::api {
namespace {

addons::Undelete undelete_of(Call& call) {
  return {call.services.database, call.services.clock, call.services.marketplace};
}

// Who owned its app when it was destroyed. Nobody else, whatever they may do there now: it can be
// brought to any app, with everything that is in it.
bool may_bring_back(Call& call, const addons::Addon& addon) {
  const auto& self = call.account();
  return !call.caller.addon && (self.admin || addon.former_owner == self.id);
}

}  // namespace

Result<Answer> destroyed_addon_list(Call& call) {
  json::array list;
  for (const auto& addon : undelete_of(call).candidates())
    if (may_bring_back(call, addon)) list.push_back(to_json(call, addon));
  return small_list(call, std::move(list), {"name", "id"});
}

Result<Answer> addon_undelete(Call& call) {
  const auto body = TRY(call.body());
  const auto found = call.services.marketplace.addons.find(call.param("addon"));
  if (!found || !may_bring_back(call, *found))
    return fail(Kind::not_found,
                "Couldn't find that add-on among those that you may bring back, which are of apps "
                "that were yours when it was destroyed.");
  const auto app = TRY(call.services.apps.find_for(
      call.account(), TRY(identity_in(body, "app")).value_or(found->app.value),
      apps::Permission::operate));
  return ok(to_json(call, TRY(undelete_of(call).bring_back(*found, app, call.account()))));
}

}  // namespace renga::api
