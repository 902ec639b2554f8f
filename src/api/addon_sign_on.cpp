// Single sign-on: a page that posts a signed form to the provider's dashboard. Its address is a
// capability, since a browser has no token to send.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "addons/sso.h"
#include "api/addon_handlers.h"
#include "api/addon_objects.h"
#include "base/text.h"

namespace renga::api {
namespace {

std::string html(std::string_view text) {
  auto escaped = text::replace_all(std::string(text), "&", "&amp;");
  for (const auto& [from, to] :
       {std::pair{"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}})
    escaped = text::replace_all(std::move(escaped), from, to);
  return escaped;
}

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

Answer page(int status, const std::string& body) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "text/html; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='; "
      "frame-ancestors 'none'; base-uri 'none'");
  response.body = "<!doctype html>\n<meta charset=\"utf-8\">\n<title>renga</title>\n" + body;
  Answer answer;
  answer.whole = std::move(response);
  return answer;
}

}  // namespace

Result<Answer> addon_sign_on(Call& call) {
  const auto addon = TRY(addon_in_app(call, apps::Permission::operate));
  const auto form = TRY(sign_on_for(call, addon, call.account(), call.param("app")));
  json::object params;
  for (const auto& [name, value] : form.params) params[name] = value;
  return ok(
      json::object{{"method", "post"}, {"action", form.action}, {"params", std::move(params)}});
}

Result<Answer> addon_sign_on_page(Call& call) {
  const auto gone = [&] {
    return page(
        404,
        "<p>This address is not valid any more. Open the add-on again: renga addons:open.</p>\n");
  };
  const auto what = call.parts.capabilities.open("addon.sso", call.param("capability"));
  if (!what) return gone();
  const auto words = text::split(*what, ' ');
  if (words.size() != 3) return gone();
  // Who made the address may have lost the app since.
  auto& services = call.services;
  const auto user = services.accounts.find(Id<accounts::Account>{std::string(words[1])});
  const auto addon = services.marketplace.addons.find(words[0]);
  if (!user || !addon || addon->state != addons::State::provisioned) return gone();
  const auto context = services.apps.find_for(*user, words[2], apps::Permission::operate);
  const auto attachments = services.marketplace.addons.attachments_of(addon->id);
  if (!context || std::ranges::none_of(attachments, [&](const addons::Attachment& attachment) {
        return attachment.app == context->id;
      }))
    return gone();
  const auto form = TRY(sign_on_for(call, *addon, *user, context->name));

  std::string body = fmt::format("<form method=\"post\" action=\"{}\">\n", html(form.action));
  for (const auto& [name, value] : form.params)
    body +=
        fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", html(name), html(value));
  body += "<button>Go on to the add-on's dashboard</button>\n</form>\n";
  body += "<script>document.forms[0].submit()</script>\n";
  return page(200, body);
}

}  // namespace renga::api
