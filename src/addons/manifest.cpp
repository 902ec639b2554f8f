#include "addons/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <set>

#include "base/text.h"

namespace renga::addons {
namespace json = boost::json;

namespace {

constexpr std::size_t most_plans = 200;
constexpr std::size_t most_vars = 100;
constexpr std::size_t longest_text = 2'000;
constexpr std::size_t shortest_secret = 16;
constexpr std::array<std::string_view, 5> known_data_paths = {
    "/client/v11/databases", "/client/v11/apps", "/postgres/v0/databases", "/redis/v0/databases",
    "/data/kafka/v0/clusters"};

std::unexpected<Error> wrong(std::string_view what) {
  return fail(Kind::invalid, fmt::format("The manifest is refused: {}.", what));
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

Result<std::string> text_of(const json::object& object, std::string_view key,
                            std::string_view otherwise = {}) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return std::string(otherwise);
  if (!value->is_string()) return wrong(fmt::format("`{}` must be a string", key));
  std::string text(value->get_string());
  if (text.size() > longest_text || text.contains('\0'))
    return wrong(fmt::format("`{}` is too long, or has a NUL in it", key));
  return text;
}

Result<bool> flag_of(const json::object& object, std::string_view key, bool otherwise) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return otherwise;
  if (!value->is_bool()) return wrong(fmt::format("`{}` must be true or false", key));
  return value->get_bool();
}

Result<std::vector<std::string>> texts_of(const json::object& object, std::string_view key) {
  std::vector<std::string> texts;
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return texts;
  if (!value->is_array()) return wrong(fmt::format("`{}` must be a list of strings", key));
  for (const auto& each : value->get_array()) {
    if (!each.is_string()) return wrong(fmt::format("`{}` must be a list of strings", key));
    texts.emplace_back(each.get_string());
  }
  return texts;
}

Result<const json::object*> object_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || value->is_null()) return nullptr;
  if (!value->is_object()) return wrong(fmt::format("`{}` must be an object", key));
  return &value->get_object();
}

Result<void> check_id(const std::string& id) {
  const bool fits = id.size() >= 2 && id.size() <= 60 && is_lower(id.front()) &&
                    std::ranges::all_of(id, [](char c) {
                      return is_lower(c) || is_digit(c) || c == '-' || c == '_';
                    });
  if (!fits) return wrong("`id` must be 2 to 60 of a-z, 0-9, '-' and '_', and begin with a letter");
  return {};
}

Result<ManifestPlan> plan_of(const json::value& value) {
  if (!value.is_object()) return wrong("each of `plans` must be an object");
  const auto& object = value.get_object();
  ManifestPlan plan;
  plan.name = TRY(text_of(object, "name"));
  const bool fits =
      !plan.name.empty() && plan.name.size() <= 60 && std::ranges::all_of(plan.name, [](char c) {
        return is_lower(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
      });
  if (!fits)
    return wrong(
        "a plan's `name` must be 1 to 60 of a-z, 0-9, '-', '_' and '.', without the service's");
  plan.human_name = TRY(text_of(object, "human_name", plan.name));
  plan.description = TRY(text_of(object, "description", plan.human_name));
  plan.state = TRY(text_of(object, "state", "ga"));
  plan.is_default = TRY(flag_of(object, "default", false));
  plan.visible = TRY(flag_of(object, "visible", true));
  plan.unit = "month";
  if (const auto* price = TRY(object_of(object, "price"))) {
    const auto* cents = price->if_contains("cents");
    if (cents != nullptr && (!cents->is_int64() || cents->get_int64() < 0))
      return wrong(fmt::format("the price of {} must be whole `cents`", plan.name));
    if (cents != nullptr) plan.cents = cents->get_int64();
    plan.unit = TRY(text_of(*price, "unit", "month"));
    plan.contract = TRY(flag_of(*price, "contract", false));
  }
  return plan;
}

Result<std::vector<ManifestPlan>> plans_of(const json::object& object) {
  std::vector<ManifestPlan> plans;
  const auto* value = object.if_contains("plans");
  if (value != nullptr && !value->is_array()) return wrong("`plans` must be a list");
  if (value != nullptr)
    for (const auto& each : value->get_array()) plans.push_back(TRY(plan_of(each)));
  if (plans.size() > most_plans) return wrong("there are more than 200 plans");
  if (plans.empty()) {
    ManifestPlan test;
    test.name = "test";
    test.human_name = "Test";
    test.description = "Test";
    test.state = "ga";
    test.unit = "month";
    plans.push_back(test);
  }
  std::set<std::string> names;
  for (const auto& plan : plans)
    if (!names.insert(plan.name).second)
      return wrong(fmt::format("there are two plans {}", plan.name));
  const auto defaults = std::ranges::count_if(plans, &ManifestPlan::is_default);
  if (defaults > 1) return wrong("more than one plan is the default");
  if (defaults == 0) plans.front().is_default = true;
  return plans;
}

Result<void> check_vars(const Manifest& manifest) {
  if (!is_var_name(manifest.prefix))
    return wrong("`config_vars_prefix` must be of A-Z, 0-9 and '_', and begin with a letter");
  if (manifest.config_vars.size() > most_vars) return wrong("there are more than 100 config vars");
  for (const auto& name : manifest.config_vars) {
    if (!is_var_name(name) || name.size() > 200)
      return wrong(
          fmt::format("the config var \"{}\" must be of A-Z, 0-9 and '_', and begin with a letter",
                      text::printable(name)));
    if (!name.starts_with(manifest.prefix + "_"))
      return wrong(fmt::format("the config var {} must begin with {}_", name, manifest.prefix));
  }
  return {};
}

Result<void> check_secret(std::string_view key, const std::string& secret) {
  if (!secret.empty() && secret.size() < shortest_secret)
    return wrong(fmt::format("`{}` is shorter than 16 characters", key));
  return {};
}

}  // namespace

bool is_var_name(std::string_view name) {
  return name.size() >= 2 && is_upper(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_upper(c) || is_digit(c) || c == '_'; });
}

Result<std::string> check_provider_url(std::string_view what, const std::string& url) {
  const auto start = url.find("://");
  const auto scheme = url.substr(0, start == std::string::npos ? 0 : start);
  if (scheme != "https" && scheme != "http")
    return wrong(fmt::format("`{}` must be an https URL", what));
  const auto rest = std::string_view(url).substr(start + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  const bool plain = std::ranges::all_of(
      url, [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '\\'; });
  if (authority.empty() || authority.contains('@') || !plain || url.size() > longest_text)
    return wrong(fmt::format("`{}` is no URL without a user in it", what));
  const auto host = authority.starts_with('[') ? authority.substr(0, authority.find(']') + 1)
                                               : authority.substr(0, authority.find(':'));
  if (scheme == "http" && host != "localhost" && host != "127.0.0.1" && host != "[::1]")
    return wrong(fmt::format(
        "`{}` must be https; http is for providers on this machine (localhost, 127.0.0.1, [::1])",
        what));
  return url;
}

bool Manifest::has_var(std::string_view name) const {
  return std::ranges::find(config_vars, name) != config_vars.end();
}

std::string Manifest::origin() const {
  const auto host = base_url.find("://") + 3;
  return base_url.substr(0, base_url.find('/', host));
}

Result<Manifest> Manifest::parse(std::string_view text) {
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  if (error || !value.is_object()) return wrong("it is not a JSON object");
  const auto& object = value.get_object();
  const auto* api = TRY(object_of(object, "api"));
  if (api == nullptr) return wrong("`api` is missing");

  Manifest manifest;
  manifest.id = TRY(text_of(object, "id"));
  TRY(check_id(manifest.id));
  manifest.human_name = TRY(text_of(object, "name", manifest.id));
  manifest.cli_plugin_name = TRY(text_of(object, "cli_plugin_name"));
  if (const auto docs = TRY(text_of(object, "docs_url")); !docs.empty())
    manifest.docs_url = TRY(check_provider_url("docs_url", docs));
  manifest.state = TRY(text_of(object, "state", "ga"));
  constexpr std::array<std::string_view, 4> states = {"alpha", "beta", "ga", "shutdown"};
  if (std::ranges::find(states, manifest.state) == states.end())
    return wrong("`state` must be alpha, beta, ga or shutdown");
  if (const auto version = TRY(text_of(*api, "version", "3")); version != "3")
    return wrong("`api.version` must be \"3\"");

  manifest.prefix = TRY(text_of(*api, "config_vars_prefix"));
  if (manifest.prefix.empty())
    manifest.prefix = text::upper(text::replace_all(manifest.id, "-", "_"));
  manifest.config_vars = TRY(texts_of(*api, "config_vars"));
  TRY(check_vars(manifest));
  manifest.default_attachment_name = TRY(text_of(*api, "default_attachment_name", manifest.prefix));
  if (!is_var_name(manifest.default_attachment_name))
    return wrong("`default_attachment_name` must be of A-Z, 0-9 and '_', and begin with a letter");

  for (const auto& feature : TRY(texts_of(*api, "requires"))) {
    manifest.many_per_app = manifest.many_per_app || feature == "many_per_app";
    manifest.attachable = manifest.attachable || feature == "attachable";
    manifest.syslog_drain = manifest.syslog_drain || feature == "syslog_drain";
    manifest.log_input = manifest.log_input || feature == "log_input";
  }
  const auto* production = TRY(object_of(*api, "production"));
  if (production == nullptr) return wrong("`api.production` is missing");
  manifest.base_url = TRY(check_provider_url("base_url", TRY(text_of(*production, "base_url"))));
  while (manifest.base_url.ends_with('/')) manifest.base_url.pop_back();
  if (const auto sso = TRY(text_of(*production, "sso_url")); !sso.empty())
    manifest.sso_url = TRY(check_provider_url("sso_url", sso));
  manifest.data_paths = TRY(texts_of(*api, "data_paths"));
  for (const auto& path : manifest.data_paths)
    if (std::ranges::find(known_data_paths, path) == known_data_paths.end())
      return wrong(fmt::format("there is no data path \"{}\"", text::printable(path)));

  manifest.plans = TRY(plans_of(object));
  manifest.secrets.password = TRY(text_of(*api, "password"));
  manifest.secrets.sso_salt = TRY(text_of(*api, "sso_salt"));
  manifest.secrets.client_secret = TRY(text_of(*api, "client_secret"));
  TRY(check_secret("password", manifest.secrets.password));
  TRY(check_secret("sso_salt", manifest.secrets.sso_salt));
  TRY(check_secret("client_secret", manifest.secrets.client_secret));
  return manifest;
}

std::string Manifest::to_json() const {
  json::array features;
  if (many_per_app) features.emplace_back("many_per_app");
  if (attachable) features.emplace_back("attachable");
  if (syslog_drain) features.emplace_back("syslog_drain");
  if (log_input) features.emplace_back("log_input");
  json::array vars;
  for (const auto& name : config_vars) vars.emplace_back(name);
  json::array paths;
  for (const auto& path : data_paths) paths.emplace_back(path);
  json::array offered;
  for (const auto& plan : plans)
    offered.push_back(json::object{
        {"name", plan.name},
        {"human_name", plan.human_name},
        {"description", plan.description},
        {"state", plan.state},
        {"default", plan.is_default},
        {"visible", plan.visible},
        {"price",
         json::object{{"cents", plan.cents}, {"unit", plan.unit}, {"contract", plan.contract}}}});
  json::object production{{"base_url", base_url}};
  if (!sso_url.empty()) production["sso_url"] = sso_url;
  return json::serialize(
      json::object{{"id", id},
                   {"name", human_name},
                   {"cli_plugin_name", cli_plugin_name},
                   {"docs_url", docs_url},
                   {"state", state},
                   {"api", json::object{{"version", "3"},
                                        {"config_vars_prefix", prefix},
                                        {"config_vars", std::move(vars)},
                                        {"default_attachment_name", default_attachment_name},
                                        {"requires", std::move(features)},
                                        {"regions", json::array{"*"}},
                                        {"production", std::move(production)},
                                        {"data_paths", std::move(paths)}}},
                   {"plans", std::move(offered)}});
}

}  // namespace renga::addons
