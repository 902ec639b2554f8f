// Addons: what people and providers do with add-ons and their attachments. Every call blocks on the
// store, and those that say so on a provider, for up to its limit. Safe from any thread; none may
// be made inside a transaction, but app_destroyed(). Who may see an app is for the caller to have
// asked.
#pragma once

#include <string_view>
#include <vector>

#include "addons/provisioner.h"
#include "apps/apps.h"

namespace renga::addons {

inline constexpr std::size_t most_addons = 100;  // on one app

struct NewAddon {
  std::string plan;        // "heroku-postgresql", "heroku-postgresql:basic", or a plan's id
  std::string name;        // empty: made up
  std::string attachment;  // empty: DATABASE, HEROKU_POSTGRESQL_AMBER, …
  std::map<std::string, std::string> options;
  std::string confirm;  // the app's name: take names over from attachments and config vars
};

struct NewAttachment {
  std::string name;  // empty: as for a new add-on
  std::optional<std::string> name_space;
  std::string confirm;
};

class Addons {
 public:
  Addons(store::Database& database, Clock& clock, Books& books, Catalog& catalog, apps::Apps& apps,
         releases::Releases& releases, OwedReleases& owed, Provisioner& provisioner)
      : database_(database),
        clock_(clock),
        books_(books),
        catalog_(catalog),
        apps_(apps),
        releases_(releases),
        owed_(owed),
        provisioner_(provisioner) {}

  // Asks the provider, and answers when it has: provisioned, or still provisioning when it said
  // "later" or there was no room to ask it now. Kind::not_found: no such plan; Kind::conflict: a
  // name is in use on the app, and `confirm` does not give it up; Kind::invalid: refused, also by
  // the provider; Kind::unavailable: the provider gave no usable answer, and nothing was added.
  Result<Addon> create(const apps::App& app, const accounts::Account& user, const NewAddon& wanted);
  // Asks the provider. Kind::unavailable: no answer yet; it is asked again until there is one.
  Result<Addon> change_plan(const Addon& addon, std::string_view plan);
  Result<Addon> rename(const Addon& addon, std::string_view name);
  enum class Elsewhere { refuse, detach };
  // Asks the provider; deprovisioning in the answer: it is asked again until it is gone.
  // Kind::invalid: it is attached to other apps, and `refuse`.
  Result<Addon> destroy(const Addon& addon, const accounts::Account& user, Elsewhere elsewhere);
  // Every add-on of an app that is about to go, in the transaction that removes it; poke() behind
  // it.
  void app_destroyed(const Id<apps::App>& app, const accounts::Account& user);
  void poke() { provisioner_.poke(); }
  // What apps are owed is in their releases when it returns: an add-on is provisioned just before.
  void settle() { owed_.pay(); }

  Result<Attachment> attach(const Addon& addon, const apps::App& app, const accounts::Account& user,
                            const NewAttachment& wanted);
  // Kind::invalid: the last one of the add-on on its own app.
  Result<Attachment> detach(const Attachment& attachment, const accounts::Account& user);

  // A provider's doings, to its own add-on.
  using Config = std::map<std::string, std::string>;
  Config config(const Addon& addon, std::string_view name_space) {
    return books_.config(addon.id, name_space);
  }
  Result<Config> set_config(const Addon& addon, std::string_view name_space,
                            const std::map<std::string, std::optional<std::string>>& changes);
  Result<Addon> provisioned(const Addon& addon);
  Result<Addon> deprovisioned(const Addon& addon);

  Result<Addon> find(std::string_view identity);  // id or name
  std::vector<Addon> all() { return books_.all(); }
  std::vector<Addon> all_on(const Id<apps::App>& app) { return books_.all_on(app); }
  Result<Attachment> find_attachment(std::string_view id);
  std::vector<Attachment> attachments();
  std::vector<Attachment> attachments_of(const Id<Addon>& addon);
  std::vector<Attachment> attachments_on(const Id<apps::App>& app);
  // On an app: by id or name.
  Result<Attachment> find_attachment_on(const Id<apps::App>& app, std::string_view identity);

  // All that a person may mean on an app by a name: an add-on's, its id, an attachment's, a config
  // var's, or a service's; the first of these that finds anything.
  std::vector<Addon> resolve_on(const Id<apps::App>& app, std::string_view identity);
  // The same for one thing. Kind::not_found, Kind::conflict: several fit.
  Result<Addon> find_on(const Id<apps::App>& app, std::string_view identity);

  // "DATABASE_URL", …: on its own app; while it is not there yet, those of the manifest.
  std::vector<std::string> config_vars(const Addon& addon);
  std::vector<std::string> config_vars(const Attachment& attachment);

 private:
  struct Name {
    std::string name;
    bool takes_over = false;
  };
  Result<Name> choose_name(const apps::App& app, const Service& service, std::string_view wanted,
                           std::string_view confirm);
  Result<void> may_take_over(const apps::App& app, const Attachment& other);
  Addon fresh(const Addon& addon);

  store::Database& database_;
  Clock& clock_;
  Books& books_;
  Catalog& catalog_;
  apps::Apps& apps_;
  releases::Releases& releases_;
  OwedReleases& owed_;
  Provisioner& provisioner_;
};

}  // namespace renga::addons
