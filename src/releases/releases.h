// Releases: the append-only log that everything else follows. Every change of an app's slug or config
// appends one; nothing is ever edited but the status of a pending one. Blocks on the store; safe from
// any thread. Config vars are sealed (crypto::SecretBox) in the rows.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "apps/apps.h"
#include "crypto/secret_box.h"
#include "releases/release.h"
#include "releases/slugs.h"

namespace renga::releases {

struct NewRelease {
  std::string description;
  Id<accounts::Account> user;
  std::optional<Id<Slug>> slug;  // empty: the newest release's
  std::optional<apps::ConfigVars> config;  // empty: the newest release's
  // A slug that is new to the app: it runs the release command even where only a slug's change would.
  bool deploy = false;
};

class Releases {
 public:
  Releases(store::Database& database, Clock& clock, apps::Apps& apps, Slugs& slugs,
           const crypto::SecretBox& box)
      : database_(database), clock_(clock), apps_(apps), slugs_(slugs), box_(box) {}

  // Called after a release was committed or changed its status, on the thread that did it. Set before
  // the first use. News may be lost in a crash: listeners ask pending() and current() at their start.
  void on_change(std::function<void(const Release&)> callback) { changed_ = std::move(callback); }

  // Status pending when the slug declares a `release` process type, else succeeded.
  Release append(const Id<apps::App>& app, const NewRelease& wanted);
  // The two first releases of a new app: "Initial release" and "Enable Logplex".
  void append_first(const Id<apps::App>& app, const Id<accounts::Account>& user);

  // Newest first; versions in [from, to], at most `limit`.
  std::vector<Release> all(const Id<apps::App>& app, int limit = 1'000);
  Result<Release> find(const Id<apps::App>& app, std::string_view identity);  // id, version or vN
  Result<Release> find(const Id<Release>& id);
  Release newest(const Id<apps::App>& app);
  // The one that should run: the newest that succeeded.
  Release current(const Id<apps::App>& app);
  std::vector<Release> pending();  // of all apps, oldest first

  // Config of a release, and of the app (its newest release's).
  apps::ConfigVars config(const Release& release);
  apps::ConfigVars config(const Id<apps::App>& app) { return config(newest(app)); }
  // Appends "Set A, B config vars" / "Remove A config vars" unless nothing changes. The map after it.
  Result<apps::ConfigVars> set_config(const Id<apps::App>& app, const Id<accounts::Account>& user,
                                      const apps::ConfigChanges& changes);

  // Kind::invalid: no slug then, a failed or pending one, the slug is gone, or it is the current one's.
  Result<Release> rollback(const Id<apps::App>& app, const Id<accounts::Account>& user,
                           std::string_view identity);
  bool eligible_for_rollback(const Release& release);

  // Of a pending release; no-op on another. Older pending ones of the app become expired when a newer
  // one succeeded.
  void set_output_stream(const Id<Release>& id, std::string_view stream);
  void finish(const Id<Release>& id, Status status);

 private:
  store::Database& database_;
  Clock& clock_;
  apps::Apps& apps_;
  Slugs& slugs_;
  const crypto::SecretBox& box_;
  std::function<void(const Release&)> changed_ = [](const Release&) {};
};

}  // namespace renga::releases
