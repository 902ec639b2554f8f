// Add-on attachment: an add-on's name on an app.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "api/body.h"
#include "api/small_lists.h"
#include "base/text.h"

namespace renga::api {
namespace {

using addons::Attachment;

json::array list_of(Call& call, const std::vector<Attachment>& attachments) {
  json::array list;
  for (const auto& attachment : attachments) list.push_back(to_json(call, attachment));
  return list;
}

// Seen by who may use the app that it is on, or the add-on's own.
bool may(Call& call, const Attachment& attachment, apps::Permission permission) {
  if (call.services.apps.find_for(call.account(), attachment.app.value, permission)) return true;
  const auto addon = call.services.marketplace.addons.find(attachment.addon.value);
  return addon && call.services.apps.find_for(call.account(), addon->app.value, permission);
}

std::vector<Attachment> visible(Call& call, std::vector<Attachment> attachments) {
  std::erase_if(attachments, [&](const Attachment& attachment) {
    return !may(call, attachment, apps::Permission::view);
  });
  return attachments;
}

}  // namespace

Result<Answer> attachment_list(Call& call) {
  return small_list(call,
                    list_of(call, visible(call, call.services.marketplace.addons.attachments())),
                    {"name", "id"});
}

Result<Answer> attachment_list_of_addon(Call& call) {
  const auto addon = TRY(addon_in(call, apps::Permission::view));
  auto found = call.services.marketplace.addons.attachments_of(addon.id);
  if (!call.caller.addon) found = visible(call, std::move(found));
  return small_list(call, list_of(call, found), {"name", "id"});
}

Result<Answer> attachment_list_of_app(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return small_list(call, list_of(call, call.services.marketplace.addons.attachments_on(app.id)),
                    {"name", "id"});
}

Result<Answer> attachment_info(Call& call) {
  const auto attachment =
      TRY(call.services.marketplace.addons.find_attachment(call.param("attachment")));
  if (!may(call, attachment, apps::Permission::view))
    return fail(Kind::not_found, "Couldn't find that add-on attachment.");
  return ok(to_json(call, attachment));
}

Result<Answer> attachment_info_of_app(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(call, TRY(call.services.marketplace.addons.find_attachment_on(
                              app.id, call.param("attachment")))));
}

// To attach an add-on is to hand its secrets to an app: for who may use both.
Result<Answer> attachment_create(Call& call) {
  const auto body = TRY(call.body());
  const auto addon_named = TRY(identity_in(body, "addon"));
  const auto app_named = TRY(identity_in(body, "app"));
  if (!addon_named || !app_named)
    return fail(Kind::invalid, "`addon` and `app` are required, by name or id.");
  const auto app =
      TRY(call.services.apps.find_for(call.account(), *app_named, apps::Permission::operate));
  const auto addon = TRY(addon_for(call, *addon_named, apps::Permission::operate));
  addons::NewAttachment wanted;
  wanted.name = TRY(text_in(body, "name")).value_or("");
  wanted.name_space = TRY(text_in(body, "namespace"));
  wanted.confirm = TRY(text_in(body, "confirm")).value_or("");
  if (wanted.name_space &&
      call.services.marketplace.addons.config(addon, *wanted.name_space).empty())
    return fail(Kind::invalid, fmt::format("{} has no {}.", addon.name,
                                           text::printable(wanted.name_space->substr(0, 100))));

  const auto attachment =
      call.services.marketplace.addons.attach(addon, app, call.account(), wanted);
  if (!attachment) return ask_to_confirm(attachment.error(), app);
  return created(to_json(call, *attachment));
}

Result<Answer> attachment_delete(Call& call) {
  auto& addons = call.services.marketplace.addons;
  const auto attachment = TRY(addons.find_attachment(call.param("attachment")));
  if (!may(call, attachment, apps::Permission::operate))
    return fail(Kind::not_found, "Couldn't find that add-on attachment.");
  auto answer = ok(to_json(call, attachment));
  TRY(addons.detach(attachment, call.account()));
  return answer;
}

// By attachment, by config var (DATABASE_URL), by add-on.
Result<Answer> attachment_resolve(Call& call) {
  const auto wanted = TRY(wanted_in(call, "addon_attachment"));
  auto& addons = call.services.marketplace.addons;
  std::vector<Attachment> all;
  if (wanted.app) {
    const auto app =
        TRY(call.services.apps.find_for(call.account(), *wanted.app, apps::Permission::view));
    all = addons.attachments_on(app.id);
  } else {
    all = visible(call, addons.attachments());
  }
  const auto those = [&](auto fits) {
    std::vector<Attachment> found;
    for (const auto& attachment : all)
      if (const auto addon = addons.find(attachment.addon.value);
          addon && wanted.of_service(call, *addon) && fits(attachment, *addon))
        found.push_back(attachment);
    return found;
  };
  auto found = those([&](const Attachment& attachment, const addons::Addon&) {
    return attachment.id.value == wanted.name ||
           (wanted.app && text::equals_ignoring_case(attachment.name, wanted.name));
  });
  if (found.empty() && wanted.app)
    found = those([&](const Attachment& attachment, const addons::Addon&) {
      const auto vars = addons.config_vars(attachment);
      return std::ranges::find(vars, wanted.name) != vars.end();
    });
  if (found.empty())
    found = those([&](const Attachment&, const addons::Addon& addon) {
      return addon.name == wanted.name || addon.id.value == wanted.name;
    });
  if (found.empty())
    return refusal({Kind::not_found, "Couldn't find that add-on attachment."}, "add_on attachment");
  return ok(list_of(call, found));
}

}  // namespace renga::api
