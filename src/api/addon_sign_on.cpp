// Single sign-on: a page that posts a signed form to the provider's dashboard. Its address is a
// capability, since a browser has no token to send.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "addons/own_services.h"
#include "addons/sso.h"
#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "api/pages.h"
#include "base/text.h"

namespace renga::api {
namespace {

Result<addons::SignOn> sign_on_for(Call& call, const addons::Addon& addon,
                                   const accounts::Account& user, const std::string& context) {
  auto& catalog = call.services.marketplace.catalog;
  const auto service = catalog.service(addon.service);
  if (service.manifest.sso_url.empty())
    return fail(Kind::invalid, fmt::format("{} has no dashboard.", service.manifest.human_name));
  const auto app = app_of(call, addon);
  return addons::sign_on(addon, service, catalog.secrets(service.id), user,
                         app.at("name").as_string(), context, call.services.clock.now());
}

// The only script that a page may have: what sends the form.
constexpr std::string_view submit_policy =
    "script-src 'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='";

}  // namespace

Result<Answer> addon_sign_on(Call& call) {
  const auto addon = TRY(addon_in_app(call, apps::Permission::operate));
  // The platform's own dashboard is a page of this server, which web_url names.
  if (call.services.marketplace.catalog.service(addon.service).name() == addons::scheduler_service)
    return ok(json::object{{"method", "get"},
                           {"action", to_json(call, addon).at("web_url")},
                           {"params", json::object()}});
  const auto form = TRY(sign_on_for(call, addon, call.account(), call.param("app")));
  json::object params;
  for (const auto& [name, value] : form.params) params[name] = value;
  return ok(
      json::object{{"method", "post"}, {"action", form.action}, {"params", std::move(params)}});
}

std::optional<SignedOn> signed_on(Call& call) {
  const auto what = call.parts.capabilities.open("addon.sso", call.param("capability"));
  if (!what) return std::nullopt;
  const auto words = text::split(*what, ' ');
  if (words.size() != 3) return std::nullopt;
  // Who made the address may have lost the app since.
  auto& services = call.services;
  const auto user = services.accounts.find(Id<accounts::Account>{std::string(words[1])});
  const auto addon = services.marketplace.addons.find(words[0]);
  if (!user || !addon || addon->state != addons::State::provisioned) return std::nullopt;
  const auto context = services.apps.find_for(*user, words[2], apps::Permission::operate);
  const auto attachments = services.marketplace.addons.attachments_of(addon->id);
  if (!context || std::ranges::none_of(attachments, [&](const addons::Attachment& attachment) {
        return attachment.app == context->id;
      }))
    return std::nullopt;
  return SignedOn{*user, *addon, *context,
                  services.marketplace.catalog.service(addon->service).name()};
}

Result<Answer> addon_sign_on_page(Call& call) {
  const auto who = signed_on(call);
  if (!who) return page_gone();
  if (who->service == addons::scheduler_service) return scheduler_page(call, *who);
  const auto form = TRY(sign_on_for(call, who->addon, who->user, who->context.name));

  std::string body = fmt::format("<form method=\"post\" action=\"{}\">\n", html(form.action));
  for (const auto& [name, value] : form.params)
    body +=
        fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", html(name), html(value));
  body += "<button>Go on to the add-on's dashboard</button>\n</form>\n";
  body += "<script>document.forms[0].submit()</script>\n";
  return page(200, body, submit_policy);
}

Result<Answer> addon_sign_on_change(Call& call) {
  const auto who = signed_on(call);
  if (!who) return page_gone();
  if (who->service == addons::scheduler_service) return scheduler_change(call, *who);
  return fail(Kind::not_found, "This page has nothing to change.");
}

}  // namespace renga::api
