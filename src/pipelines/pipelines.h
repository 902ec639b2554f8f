// Pipelines: which there are, the apps in their stages, and who may change them. Every call blocks
// on the store and is safe from any thread.
#pragma once

#include <string_view>
#include <vector>

#include "apps/apps.h"
#include "apps/config_vars.h"
#include "crypto/secret_box.h"
#include "pipelines/pipeline.h"

namespace renga::pipelines {

enum class Access { view, change };

class Pipelines {
 public:
  Pipelines(store::Database& database, Clock& clock, apps::Apps& apps, const crypto::SecretBox& box)
      : database_(database), clock_(clock), apps_(apps), box_(box) {}

  // Kind::invalid: a name that is malformed (^[a-z][a-z0-9-]{2,29}$), or that a pipeline of the
  // owner has already.
  Result<Pipeline> create(const accounts::Account& owner, std::string_view name);
  // By id or name, as this account sees it. Kind::not_found also for one that it may not see;
  // Kind::forbidden for one that it sees but may not change; Kind::conflict: several pipelines that
  // it sees have that name.
  Result<Pipeline> find_for(const accounts::Account& account, std::string_view identity,
                            Access access);
  Result<Pipeline> find(const Id<Pipeline>& id);
  std::vector<Pipeline> visible_to(const accounts::Account& account);  // by name
  Result<Pipeline> rename(const Id<Pipeline>& id, std::string_view name);
  // Its apps stay as they are.
  Result<void> destroy(const Id<Pipeline>& id);
  // The pipeline and all its apps get a new owner; the old one stays on the apps as a collaborator.
  Result<Pipeline> transfer(const Id<Pipeline>& id, const accounts::Account& owner);

  // Kind::invalid: the app is in a pipeline already, or has another owner than the pipeline.
  Result<Coupling> couple(const Pipeline& pipeline, const apps::App& app, Stage stage);
  std::vector<Coupling> couplings(const Id<Pipeline>& pipeline);  // by stage, then by app's name
  std::vector<Coupling> couplings_visible_to(const accounts::Account& account);
  Result<Coupling> coupling(const Id<Coupling>& id);
  std::optional<Coupling> coupling_of(const Id<apps::App>& app);
  Result<Coupling> move(const Id<Coupling>& id, Stage stage);
  Result<void> decouple(const Id<Coupling>& id);

  // What new apps of a stage start with: for review apps and tests. Sealed in the rows.
  apps::ConfigVars config(const Id<Pipeline>& pipeline, Stage stage);
  Result<apps::ConfigVars> set_config(const Id<Pipeline>& pipeline, Stage stage,
                                      const apps::ConfigChanges& changes);

 private:
  store::Database& database_;
  Clock& clock_;
  apps::Apps& apps_;
  const crypto::SecretBox& box_;
};

}  // namespace renga::pipelines
