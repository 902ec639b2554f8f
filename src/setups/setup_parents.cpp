#include "setups/setup_parents.h"

#include <fmt/format.h>

#include <algorithm>

namespace renga::setups {
namespace {

struct Running {
  std::string id;
  Id<apps::App> app;
  std::string script;
};

struct Ancestor {
  Id<apps::App> app;
  std::string manifest;
  std::optional<std::string> parent;
};

}  // namespace

std::optional<std::string> SetupParents::of_call(const Id<accounts::Account>& user,
                                                 std::string_view token) {
  if (token.empty()) return std::nullopt;
  const auto running = database_.all(
      "SELECT id, app, postdeploy FROM app_setups "
      "WHERE status = 'pending' AND scaled = 1 AND postdeploy <> '' AND user = ?",
      [](const store::Row& row) {
        return Running{row.text(0), row.id<apps::App>(1), row.text(2)};
      },
      user);
  for (const auto& one : running) {
    if (one.script.find(token) != std::string::npos) return one.id;
    const auto config = releases_.config(one.app);
    if (std::ranges::any_of(
            config, [&](const auto& var) { return var.second.find(token) != std::string::npos; }))
      return one.id;
  }
  return std::nullopt;
}

Result<void> SetupParents::check(const std::optional<std::string>& parent,
                                 const std::string& manifest) {
  auto next = parent;
  for (int generation = 1; next; ++generation) {
    const auto ancestor = database_.first(
        "SELECT app, manifest, parent FROM app_setups WHERE id = ?",
        [](const store::Row& row) {
          return Ancestor{row.id<apps::App>(0), row.text(1), row.maybe_text(2)};
        },
        *next);
    if (!ancestor) return {};
    if (ancestor->manifest == manifest) {
      const auto app = apps_.find(ancestor->app);
      return fail(Kind::invalid,
                  fmt::format("This is the app.json of {}, and the call comes from its postdeploy "
                              "script: it would set itself up again and again. A postdeploy script "
                              "can set up other apps only.",
                              app ? app->name : "an app that is gone"));
    }
    if (generation >= most_generations)
      return fail(
          Kind::invalid,
          fmt::format("This setup is asked for by a postdeploy script whose own setup was, "
                      "and so on for {} setups, which is as far as it goes. Set this app up "
                      "by yourself.",
                      most_generations));
    next = ancestor->parent;
  }
  return {};
}

}  // namespace renga::setups
