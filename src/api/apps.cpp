// App: what everything else hangs on.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "apps/listing.h"
#include "apps/regions.h"
#include "base/text.h"

namespace renga::api {
namespace {

json::object with_owner(Call& call, const apps::App& app) {
  const auto user = call.user(app.owner);
  accounts::Account owner;
  owner.id = app.owner;
  owner.email = user.at("email").as_string().c_str();
  return to_json(call, app, owner);
}

const std::vector<Order<apps::App>>& orders() {
  static const std::vector<Order<apps::App>> all = {
      by_text<apps::App>("name", [](const auto& app) { return app.name; }),
      by_text<apps::App>("id", [](const auto& app) { return app.id.value; }),
      by_time<apps::App>("updated_at", [](const auto& app) { return app.updated_at; })};
  return all;
}

Answer list_of(Call& call, const std::vector<apps::App>& found) {
  return call.page<apps::App>(found, orders(),
                              [&](const apps::App& app) { return with_owner(call, app); });
}

// All that it takes to choose the page that the caller asks for. Several apps may have changed in
// one second, so that an order by time takes all of them.
std::vector<apps::App> enough_for_page(const Call& call) {
  const auto& services = call.services;
  std::vector<Attribute> attributes;
  for (const auto& order : orders()) attributes.push_back(order.attribute);
  const auto range = parse_range(call.request.headers.value_or("Range", ""), attributes);
  if (!range || range->attribute == "updated_at") return services.apps.visible_to(call.account());

  apps::Listing listing;
  listing.by = range->attribute == "id" ? apps::Listing::By::id : apps::Listing::By::name;
  listing.descending = range->descending;
  const auto& least = range->descending ? range->last : range->first;
  const auto& greatest = range->descending ? range->first : range->last;
  if (least) listing.least = least->text;
  if (greatest) listing.greatest = greatest->text;
  // One that the range begins behind, and one that tells that there are more.
  listing.most = range->max + 2;
  return apps::visible_to(services.database, call.account(), listing);
}

}  // namespace

Result<Answer> app_create(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  apps::NewApp wanted;
  if (const auto name = TRY(text_in(body, "name"))) {
    if (name->empty())
      return fail(Kind::invalid, "`name` is empty. Leave it out to have one made up.");
    wanted.name = *name;
  }
  if (const auto stack = TRY(identity_in(body, "stack")))
    wanted.stack = TRY(stack_named(services.apps, *stack));
  auto region = TRY(identity_in(body, "region"));
  if (region) region = TRY(region_named(*region));

  // An app is never seen without its first releases.
  auto transaction = services.database.begin();
  const auto app = TRY(services.apps.create(call.account(), wanted));
  if (region) apps::Regions(services.database).set(app.id, *region);
  services.releases.append_first(app.id, call.account().id);
  transaction.commit();

  for (const auto* what :
       {"Initial release", "Release v1 created", "Enable Logplex", "Release v2 created"})
    call.log(app.id, what);
  services.on_app_change(app.id);
  return created(with_owner(call, TRY(services.apps.find(app.id))));
}

Result<Answer> app_list(Call& call) { return list_of(call, enough_for_page(call)); }

Result<Answer> app_list_of_user(Call& call) {
  const auto& user = call.param("user");
  const auto& self = call.account();
  if (user != "~" && user != self.id.value && !text::equals_ignoring_case(user, self.email))
    return fail(Kind::not_found,
                "Couldn't find that user. Only your own apps can be asked for: /users/~/apps.");
  return app_list(call);
}

Result<Answer> app_info(Call& call) {
  return ok(with_owner(call, TRY(call.app(apps::Permission::view))));
}

Result<Answer> app_update(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  apps::AppChanges changes;
  changes.name = TRY(text_in(body, "name"));
  changes.maintenance = TRY(flag_in(body, "maintenance"));
  if (const auto stack = TRY(identity_in(body, "build_stack")))
    changes.build_stack = TRY(stack_named(services.apps, *stack));

  // A new name moves the app's address and its git URL: the owner's to decide.
  const auto app =
      TRY(call.app(changes.name ? apps::Permission::manage : apps::Permission::operate));
  const auto updated = TRY(services.apps.update(app.id, changes));
  if (app.maintenance != updated.maintenance)
    call.log(app.id,
             updated.maintenance ? "Maintenance mode enabled" : "Maintenance mode disabled");
  if (app.name != updated.name)
    call.log(app.id, fmt::format("Rename {} to {}", app.name, updated.name));
  services.on_app_change(app.id);
  return ok(with_owner(call, updated));
}

Result<Answer> app_delete(Call& call) {
  const auto& services = call.services;
  const auto app = TRY(call.app(apps::Permission::manage));
  auto answer = ok(with_owner(call, app));
  std::set<std::string> outputs;
  for (const auto& build : services.builds.all(app.id)) outputs.insert(build.output_stream);
  for (const auto& release : services.releases.all(app.id))
    if (release.output_stream) outputs.insert(*release.output_stream);

  services.builds.forget(app.id);
  services.engine.forget(app.id);
  {
    // Its add-ons are not forgotten with it: their providers still have them.
    auto transaction = services.database.begin();
    services.marketplace.addons.app_destroyed(app.id, call.account());
    TRY(services.apps.destroy(app.id));
    transaction.commit();
  }
  services.marketplace.addons.poke();
  // Once more: until its row was gone, the reconciler may have told the engine of it again.
  services.engine.forget(app.id);
  services.on_app_change(app.id);
  services.repositories.remove(app.id);
  services.drains.app_destroyed(app.id);
  services.logs.remove(app.id);
  services.usage.forget(app.id);
  for (const auto& output : outputs)
    if (!output.empty()) services.outputs.remove(output);
  services.slugs.collect_garbage();
  return answer;
}

Result<Answer> app_filter(Call& call) {
  const auto body = TRY(call.body());
  const auto* in = TRY(object_in(body, "in"));
  const auto* ids = in == nullptr ? nullptr : TRY(array_in(*in, "id"));
  if (ids == nullptr)
    return fail(Kind::invalid, "`in.id` is required: {\"in\": {\"id\": [\"…\"]}}.");
  std::set<std::string> wanted;
  for (const auto& id : *ids)
    if (id.is_string()) wanted.insert(id.get_string().c_str());
  auto found = call.services.apps.visible_to(call.account());
  std::erase_if(found, [&](const auto& app) { return !wanted.contains(app.id.value); });
  return list_of(call, found);
}

}  // namespace renga::api
