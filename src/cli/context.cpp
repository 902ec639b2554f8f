#include <fmt/format.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/git_remotes.h"

namespace renga::cli {

Result<client::Platform*> Context::platform() {
  if (!platform_) {
    auto settings = TRY(client::find_settings(surroundings, flag("url")));
    transport_ = make_transport(settings.ca);
    platform_ = std::make_unique<client::Platform>(std::move(settings), *transport_);
  }
  return platform_.get();
}

Result<std::string> Context::app() {
  if (has("app")) return flag("app");
  if (const auto named = surroundings.environment.find("RENGA_APP");
      named != surroundings.environment.end() && !named->second.empty())
    return named->second;

  const auto remotes =
      app_remotes(surroundings.directory, TRY(platform())->settings().host(), flag("remote"));
  if (remotes.size() == 1) return remotes.front().app;
  if (remotes.empty())
    return fail(Kind::invalid,
                "Which app? Name it with --app NAME, or run this in a git repository with a remote "
                "of the app (`renga git:remote -a NAME`).");
  std::vector<std::string> names;
  for (const auto& remote : remotes) names.push_back(remote.name + " (" + remote.app + ")");
  return fail(Kind::invalid, fmt::format("Several git remotes are apps: {}. Choose one with --app "
                                         "NAME or --remote REMOTE.",
                                         text::join(names, ", ")));
}

Result<std::string> Context::path(std::string_view below) {
  return "/apps/" + text::url_encode(TRY(app())) + std::string(below);
}

Result<boost::json::value> Context::newest_release() {
  auto newest = TRY(TRY(platform())->get(TRY(path("/releases")), "version ..; order=desc, max=1"));
  if (!newest.is_array() || newest.as_array().empty())
    return fail(Kind::not_found, fmt::format("{} has no release yet.", TRY(app())));
  return std::move(newest.as_array().front());
}

}  // namespace renga::cli
