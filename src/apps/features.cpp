#include "apps/features.h"

#include <array>

#include "base/text.h"

namespace renga::apps {
namespace {

struct Known {
  std::string_view id;
  std::string_view name;
  std::string_view description;
  std::string_view doc_url;
  std::string_view state;
  bool enabled;  // unless somebody says otherwise
};

// Every feature there is, in the order in which they are listed. One that nothing stands behind is
// not listed: switching it would be a lie.
constexpr std::array known = {
    Known{"3b1b6ef0-2f0a-4c0e-9a43-6f0d4b1c7e08", "http-disable-keepalive-to-dyno",
          "Sends every request to its dyno over a connection of its own.",
          "https://devcenter.heroku.com/articles/http-routing", "general", false},
    Known{"3b1b6ef0-2f0a-4c0e-9a43-6f0d4b1c7e09", "http-end-to-end-continue",
          "Passes Expect: 100-continue on to dynos, which then answer it themselves.",
          "https://devcenter.heroku.com/articles/http-routing", "general", false},
    Known{"3b1b6ef0-2f0a-4c0e-9a43-6f0d4b1c7e0a", "http-session-affinity",
          "Brings a client back to the dyno that served it first, by a cookie.",
          "https://devcenter.heroku.com/articles/session-affinity", "general", false},
    Known{"3b1b6ef0-2f0a-4c0e-9a43-6f0d4b1c7e07", "log-runtime-metrics",
          "Logs each dyno's memory and load every 20 seconds.",
          "https://devcenter.heroku.com/articles/log-runtime-metrics", "beta", false},
    Known{"3b1b6ef0-2f0a-4c0e-9a43-6f0d4b1c7e04", "preboot",
          "Starts new web dynos beside the old ones and moves requests over when they accept "
          "connections. Every deploy here does so, whether this is enabled or not.",
          "https://devcenter.heroku.com/articles/preboot", "general", false},
    Known{"3b1b6ef0-2f0a-4c0e-9a43-6f0d4b1c7e06", "redirect-to-https",
          "Answers requests over http with a redirect to https, where the server has an https "
          "address.",
          "", "general", false},
    Known{"3b1b6ef0-2f0a-4c0e-9a43-6f0d4b1c7e05", "runtime-dyno-metadata",
          "Tells dynos their app, release and commit in HEROKU_ variables. Every release here does "
          "so, whether this is enabled or not.",
          "https://devcenter.heroku.com/articles/dyno-metadata", "beta", true},
};

}  // namespace

std::vector<Feature> Features::all(const Id<App>& app) {
  const auto app_made = database_.first(
      "SELECT created_at FROM apps WHERE id = ?", [](const store::Row& row) { return row.time(0); },
      app);
  std::vector<Feature> features;
  for (const auto& one : known)
    features.push_back({std::string(one.id), std::string(one.name), std::string(one.description),
                        std::string(one.doc_url), std::string(one.state), one.enabled,
                        app_made.value_or(Time()), app_made.value_or(Time())});
  database_.query(
      "SELECT name, enabled, created_at, updated_at FROM features WHERE app = ?",
      [&](const store::Row& row) {
        for (auto& feature : features) {
          if (feature.name != row.text(0)) continue;
          feature.enabled = row.flag(1);
          feature.created_at = row.time(2);
          feature.updated_at = row.time(3);
        }
      },
      app);
  return features;
}

Result<Feature> Features::find(const Id<App>& app, std::string_view identity) {
  const auto id = text::lower(identity);
  for (auto& feature : all(app))
    if (feature.name == identity || feature.id == id) return feature;
  return fail(Kind::not_found, "Couldn't find that app feature.");
}

std::set<std::string> Features::enabled_for(std::string_view name) {
  std::set<std::string> apps;
  database_.query(
      "SELECT app FROM features WHERE name = ? AND enabled = 1",
      [&](const store::Row& row) { apps.insert(row.text(0)); }, name);
  return apps;
}

Result<Feature> Features::set(const Id<App>& app, std::string_view identity, bool enabled) {
  auto transaction = database_.begin();
  const auto feature = TRY(find(app, identity));
  const auto exists = database_.first(
      "SELECT 1 FROM apps WHERE id = ?", [](const auto&) { return true; }, app);
  if (!exists) return fail(Kind::not_found, "Couldn't find that app.");
  const auto now = clock_.now();
  database_.run(
      "INSERT INTO features (app, name, enabled, created_at, updated_at) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (app, name) DO UPDATE SET enabled = excluded.enabled, "
      "updated_at = excluded.updated_at",
      app, feature.name, enabled, now, now);
  auto changed = TRY(find(app, feature.name));
  transaction.commit();
  return changed;
}

}  // namespace renga::apps
