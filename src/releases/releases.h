// Releases: the append-only log that everything else follows. Every change of an app's slug, config
// or add-ons appends one; nothing is ever edited but the status of a pending one. Blocks on the
// store; safe from any thread. Config vars are sealed (crypto::SecretBox) in the rows.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "apps/apps.h"
#include "crypto/secret_box.h"
#include "releases/release.h"
#include "releases/slugs.h"

namespace renga::releases {

// What an app's add-ons give it.
struct FromAddons {
  apps::ConfigVars vars;
  std::vector<std::string> plans;
  bool operator==(const FromAddons&) const = default;
};

struct NewRelease {
  std::string description;
  Id<accounts::Account> user;
  std::optional<Id<Slug>> slug;            // empty: the newest release's
  std::optional<apps::ConfigVars> config;  // set by hand; empty: the newest release's
  // Runs the release command even when neither slug nor config is given ("Retry of v48").
  bool deploy = false;
  // Chosen by a caller who wants to find out after a crash whether it was made; empty: a fresh one.
  std::optional<Id<Release>> id = {};
  std::optional<FromAddons> addons = {};  // empty: the newest release's
};

class Releases {
 public:
  Releases(store::Database& database, Clock& clock, apps::Apps& apps, Slugs& slugs,
           const crypto::SecretBox& box)
      : database_(database), clock_(clock), apps_(apps), slugs_(slugs), box_(box) {}

  // Called after a release was committed or changed its status, on the thread that did it, which
  // holds no lock then; so nothing here but append_first() may be called inside a transaction. Set
  // before the first use. News may be lost in a crash: listeners ask pending() and current() at
  // their start.
  void on_change(std::function<void(const Release&)> callback) { changed_ = std::move(callback); }

  // Status pending when the slug declares a `release` process type and the release brings a slug or
  // config (or says `deploy`), else succeeded. The app and the slug must exist.
  Release append(const Id<apps::App>& app, const NewRelease& wanted);
  // The same of what `wanted` gives, which is asked inside the transaction: what it writes is
  // committed with the release. Nothing when it gives nothing.
  std::optional<Release> append_with(const Id<apps::App>& app,
                                     const std::function<std::optional<NewRelease>()>& wanted);
  // The two first releases of a new app: "Initial release" and "Enable Logplex". No news, since
  // there is nothing to run; to be called in the transaction that makes the app.
  void append_first(const Id<apps::App>& app, const Id<accounts::Account>& user);

  // Newest first, at most `limit`.
  std::vector<Release> all(const Id<apps::App>& app, int limit = 1'000);
  Result<Release> find(const Id<apps::App>& app, std::string_view identity);  // id, version or vN
  Result<Release> find(const Id<Release>& id);
  // Throws for an app without any.
  Release newest(const Id<apps::App>& app);
  // The one that should run: the newest that succeeded. Throws for an app without any.
  Release current(const Id<apps::App>& app);
  std::vector<Release> pending();  // of all apps, oldest first

  // Config of a release, and of the app (its newest release's): what was set by hand and what the
  // add-ons gave. config() has both, as dynos and builds see them; an add-on's var wins.
  apps::ConfigVars config_by_hand(const Release& release);
  apps::ConfigVars config_from_addons(const Release& release);
  apps::ConfigVars config(const Release& release);
  apps::ConfigVars config(const Id<apps::App>& app) { return config(newest(app)); }
  // Appends "Set A, B config vars", "Remove A config vars" or, for both at once, "Set A, Remove B
  // config vars", of what really changes; nothing when nothing does. The whole map after it.
  // Kind::invalid also for a var that an add-on gives.
  Result<apps::ConfigVars> set_config(const Id<apps::App>& app, const Id<accounts::Account>& user,
                                      const apps::ConfigChanges& changes);

  // "Rollback to v12": a new release with the slug and the config set by hand of an old one; what
  // add-ons give stays as it is. Kind::invalid: no slug then, a failed, expired or pending one, the
  // slug is gone, its stack is, or it is the current one.
  Result<Release> rollback(const Id<apps::App>& app, const Id<accounts::Account>& user,
                           std::string_view identity);
  // The same question, but for the current one, which could be rolled back to if it were not.
  bool eligible_for_rollback(const Release& release);

  // Of a pending release; no-op on another. Older pending ones of the app become expired when a
  // newer one succeeded.
  void set_output_stream(const Id<Release>& id, std::string_view stream);
  void finish(const Id<Release>& id, Status status);

 private:
  std::vector<Id<Release>> insert(const Id<apps::App>& app, const NewRelease& wanted);
  std::vector<Id<Release>> expire_older(const Id<Release>& succeeded);
  void announce(const std::vector<Id<Release>>& changed);
  Result<void> check_rollback(const Release& release);

  store::Database& database_;
  Clock& clock_;
  apps::Apps& apps_;
  Slugs& slugs_;
  const crypto::SecretBox& box_;
  std::function<void(const Release&)> changed_ = [](const Release&) {};
};

}  // namespace renga::releases
