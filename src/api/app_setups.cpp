// App setup: an app made from a source with an app.json.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "base/text.h"

namespace renga::api {
namespace {

std::string_view word_for(setups::SetupStatus status) {
  switch (status) {
    case setups::SetupStatus::pending:
      return "pending";
    case setups::SetupStatus::succeeded:
      return "succeeded";
    case setups::SetupStatus::failed:
      return "failed";
  }
  return "failed";
}

json::value build_of(Call& call, const setups::AppSetup& setup) {
  if (!setup.build) return nullptr;
  const auto build = call.services.builds.find(setup.app, setup.build->value);
  if (!build) return nullptr;
  const auto whole = to_json(call, *build);
  return json::object{{"id", whole.at("id")},
                      {"output_stream_url", whole.at("output_stream_url")},
                      {"status", whole.at("status")}};
}

// "/welcome" is a page of the new app.
json::value success_url_of(const Call& call, const apps::App& app, const std::string& url) {
  if (!url.starts_with('/')) return text_or_null(url);
  const auto web = text::replace_all(call.services.web_url_format, "{host}",
                                     call.services.domains.default_hostname(app));
  return json::value(web + url.substr(1));
}

json::object to_json(Call& call, const apps::App& app, const setups::AppSetup& setup) {
  json::value postdeploy = nullptr;
  if (setup.postdeploy)
    postdeploy = json::object{{"exit_code", setup.postdeploy->exit_code},
                              {"output", setup.postdeploy->output}};
  return {
      {"app", app_ref(app)},
      {"build", build_of(call, setup)},
      {"created_at", rfc3339(setup.created_at)},
      {"failure_message", text_or_null(setup.failure_message)},
      {"id", setup.id.value},
      // Mistakes in app.json are refused before there is a setup.
      {"manifest_errors", json::array()},
      {"postdeploy", std::move(postdeploy)},
      {"resolved_success_url", success_url_of(call, app, setup.success_url)},
      {"status", word_for(setup.status)},
      {"updated_at", rfc3339(setup.updated_at)},
  };
}

Result<std::map<std::string, std::string>> env_in(const json::object& overrides) {
  std::map<std::string, std::string> env;
  const auto* given = TRY(object_in(overrides, "env"));
  if (given == nullptr) return env;
  for (const auto& [name, value] : *given) {
    if (!value.is_string())
      return fail(Kind::invalid, fmt::format("`overrides.env.{}` must be a string.",
                                             text::printable(std::string_view(name))));
    env[std::string(name)] = std::string(value.get_string());
  }
  return env;
}

Result<std::vector<std::string>> buildpacks_of(const json::object& overrides) {
  std::vector<std::string> urls;
  const auto* given = TRY(array_in(overrides, "buildpacks"));
  if (given == nullptr) return urls;
  for (const auto& one : *given) {
    if (!one.is_object())
      return fail(Kind::invalid, "Each of `overrides.buildpacks` must be an object with a `url`.");
    urls.push_back(TRY(required_text(one.get_object(), "url")));
  }
  return urls;
}

}  // namespace

Result<Answer> app_setup_create(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  const auto* source = TRY(object_in(body, "source_blob"));
  if (source == nullptr)
    return fail(Kind::invalid,
                "`source_blob` is required: {\"source_blob\": {\"url\": \"https://…\"}}.");
  setups::NewAppSetup wanted;
  wanted.source_url = TRY(required_text(*source, "url"));
  wanted.source_version = TRY(text_in(*source, "version")).value_or("");
  wanted.source_checksum = TRY(text_in(*source, "checksum")).value_or("");
  if (const auto* app = TRY(object_in(body, "app"))) {
    wanted.app.name = TRY(text_in(*app, "name")).value_or("");
    if (const auto stack = TRY(identity_in(*app, "stack")))
      wanted.app.stack = TRY(stack_named(services.apps, *stack));
  }
  if (const auto* overrides = TRY(object_in(body, "overrides"))) {
    wanted.env = TRY(env_in(*overrides));
    wanted.buildpacks = TRY(buildpacks_of(*overrides));
  }

  // An upload of ours, or an address elsewhere.
  constexpr std::string_view uploads = "/uploads/sources/";
  const auto at = wanted.source_url.find(uploads);
  const auto own = at == std::string::npos
                       ? std::nullopt
                       : call.parts.capabilities.open(
                             "source.get", wanted.source_url.substr(at + uploads.size()));
  const auto upload = own.value_or(new_uuid());
  wanted.source_archive = own ? TRY(call.parts.uploads.find(upload))
                              : TRY(call.parts.uploads.fetch(upload, wanted.source_url));
  wanted.token = call.caller.token;
  const auto setup = services.app_setups.create(call.account(), wanted);
  if (!own) call.parts.uploads.remove(upload);
  TRY(setup);
  const auto app = TRY(services.apps.find(setup->app));
  call.log(app.id, "Set up from app.json");
  services.on_app_change(app.id);
  return created(to_json(call, app, *setup));
}

Result<Answer> app_setup_info(Call& call) {
  const auto id = Id<setups::AppSetup>{text::lower(call.param("setup"))};
  const auto setup = TRY(call.services.app_setups.find(id));
  const auto app =
      call.services.apps.find_for(call.account(), setup.app.value, apps::Permission::view);
  if (!app) return fail(Kind::not_found, "Couldn't find that app setup.");
  return ok(to_json(call, *app, setup));
}

}  // namespace renga::api
