#include "addons/sso.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "crypto/digest.h"

namespace renga::addons {
namespace json = boost::json;

SignOn sign_on(const Addon& addon, const Service& service, const Secrets& secrets,
               const accounts::Account& user, std::string_view app, std::string_view context_app,
               Time now) {
  const auto at = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto& uuid = addon.id.value;
  const auto& salt = secrets.sso_salt;
  const auto navigation = json::serialize(json::object{
      {"addon", service.manifest.human_name},
      {"appname", app},
      {"addons",
       json::array{json::object{
           {"slug", service.name()}, {"name", service.manifest.human_name}, {"current", true}}}}});
  auto nav_data =
      text::replace_all(text::replace_all(text::base64(navigation), "+", "-"), "/", "_");
  nav_data = nav_data.substr(0, nav_data.find('='));
  return {
      service.manifest.sso_url,
      {{"resource_id", uuid},
       {"user_scoped_resource_token",
        crypto::sha256(fmt::format("{}:{}:{}:{}:{}", uuid, salt, at, user.id.value, user.email))},
       {"resource_token", crypto::sha1(fmt::format("{}:{}:{}", uuid, salt, at))},
       {"id", addon.provider_id},
       {"token", crypto::sha1(fmt::format("{}:{}:{}", addon.provider_id, salt, at))},
       {"timestamp", std::to_string(at)},
       {"nav-data", nav_data},
       {"email", user.email},
       {"user_id", user.id.value},
       {"app", std::string(app)},
       {"context_app", std::string(context_app)}}};
}

}  // namespace renga::addons
