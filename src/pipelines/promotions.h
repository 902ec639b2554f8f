// Promotions: the slug of one app's release, released on other apps of its pipeline. Each target
// is a row of its own, and fails alone. Blocks on the store and the slugs' disk; safe from any
// thread.
#pragma once

#include <string_view>
#include <vector>

#include "pipelines/pipelines.h"
#include "releases/releases.h"

namespace renga::pipelines {

struct Promotion {
  Id<Promotion> id;
  Id<Pipeline> pipeline;
  Id<apps::App> source;
  Id<releases::Release> source_release;
  bool completed = false;  // no target is pending
  Time created_at;
  Time updated_at;
};

enum class TargetStatus { pending, succeeded, failed };

struct PromotionTarget {
  Id<PromotionTarget> id;
  Id<Promotion> promotion;
  Id<apps::App> app;
  std::optional<Id<releases::Release>> release;  // once it was made
  TargetStatus status = TargetStatus::pending;
  std::string error_message;  // of a failed one
};

struct NewPromotion {
  std::string source;                // an app, by id or name
  std::string release;               // of it; empty: the current one
  std::vector<std::string> targets;  // apps, by id or name
};

class Promotions {
 public:
  static constexpr std::size_t most_targets = 100;

  Promotions(store::Database& database, Clock& clock, apps::Apps& apps, Pipelines& pipelines,
             releases::Releases& releases, releases::Slugs& slugs)
      : database_(database),
        clock_(clock),
        apps_(apps),
        pipelines_(pipelines),
        releases_(releases),
        slugs_(slugs) {}

  // Releases the slug on every target, each with its own config vars. Refused as a whole, with
  // nothing written, when a target is the source, named twice, not in the pipeline, of another
  // owner, or not this account's to deploy (Kind::not_found, invalid); when the source's release
  // has no slug (invalid). What stands in the way of one target (its stack, a slug that is gone) is
  // that target's failure. Returns when each target has its release; a release command may still
  // run.
  Result<Promotion> promote(const accounts::Account& user, const Pipeline& pipeline,
                            const NewPromotion& wanted);
  // As seen by an account that sees the pipeline.
  Result<Promotion> find_for(const accounts::Account& account, std::string_view id);
  std::vector<PromotionTarget> targets(const Id<Promotion>& promotion);

  // News of any release (releases::Releases::on_change).
  void release_changed(const releases::Release& release);
  // Carries on what a crash left behind. Once, at the start, when news of releases are heard.
  void resume();

 private:
  struct Work;
  Result<std::vector<apps::App>> check_targets(const accounts::Account& user,
                                               const Pipeline& pipeline, const apps::App& source,
                                               const std::vector<std::string>& names);
  void advance(const Work& work);
  Result<void> release_on(const Work& work);
  void end(const Id<PromotionTarget>& id, TargetStatus status, std::string_view why);

  store::Database& database_;
  Clock& clock_;
  apps::Apps& apps_;
  Pipelines& pipelines_;
  releases::Releases& releases_;
  releases::Slugs& slugs_;
};

}  // namespace renga::pipelines
