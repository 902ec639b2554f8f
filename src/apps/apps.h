// Apps: which there are and who may do what with them. Every call blocks on the store and is safe
// from any thread.
#pragma once

#include <string_view>
#include <vector>

#include "accounts/accounts.h"
#include "apps/app.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::apps {

enum class Permission { view, deploy, operate, manage };

struct Collaborator {
  Id<Collaborator> id;
  Id<App> app;
  accounts::Account account;
  bool owner = false;
  Time created_at;
  Time updated_at;
};

struct NewApp {
  std::string name;   // empty: one is made up ("guarded-island-32432")
  std::string stack;  // empty: the default
};

// What PATCH /apps/:a may change; empty leaves as it is.
struct AppChanges {
  std::optional<std::string> name;
  std::optional<bool> maintenance;
  std::optional<std::string> build_stack;
};

class Apps {
 public:
  // `stacks`: the names that an app may be built on, the default first.
  Apps(store::Database& database, Clock& clock, std::vector<std::string> stacks)
      : database_(database), clock_(clock), stacks_(std::move(stacks)) {}

  // Kind::invalid: a name that is malformed (^[a-z][a-z0-9-]{1,28}[a-z0-9]$) or taken, no such
  // stack. The caller appends the first release in the same transaction.
  Result<App> create(const accounts::Account& owner, const NewApp& wanted);

  // By id or name, seen by this account. Kind::not_found also for an app that the account may not
  // see; Kind::forbidden for one it sees but may not use so.
  Result<App> find_for(const accounts::Account& account, std::string_view identity,
                       Permission permission);
  Result<App> find(const Id<App>& id);
  Result<App> find_by_name(std::string_view name);
  // Every app, whoever owns it; by name.
  std::vector<App> all();
  // Those the account may see; by name.
  std::vector<App> visible_to(const accounts::Account& account);

  Result<App> update(const Id<App>& id, const AppChanges& changes);
  // The old owner stays as a collaborator.
  Result<App> set_owner(const Id<App>& id, const accounts::Account& owner);
  // Rows of other rooms go with it by foreign keys (ON DELETE CASCADE); files and processes are the
  // callers' to remove, from the `on_destroyed` news in server/.
  Result<void> destroy(const Id<App>& id);

  // Notes of other rooms.
  void set_stack(const Id<App>& id, std::string_view stack);
  void set_built(const Id<App>& id, std::string_view buildpack_description, std::int64_t slug_size);
  void set_repo_size(const Id<App>& id, std::int64_t bytes);
  void set_released(const Id<App>& id, Time at);

  std::vector<Collaborator> collaborators(const Id<App>& app);
  Result<Collaborator> add_collaborator(const Id<App>& app, const accounts::Account& account);
  Result<Collaborator> remove_collaborator(const Id<App>& app, std::string_view identity);

  const std::vector<std::string>& stacks() const { return stacks_; }

 private:
  store::Database& database_;
  Clock& clock_;
  std::vector<std::string> stacks_;
};

}  // namespace renga::apps
