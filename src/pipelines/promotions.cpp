// A promotion in three steps: everything that can be refused is refused; the promotion and its
// targets are written down, each with the id that its release will have; each target gets its
// release. A crash between the last two loses nothing: resume() makes the releases that are not
// there yet, and asks the others how they ended.
#include "pipelines/promotions.h"

#include <fmt/format.h>

#include <set>
#include <stdexcept>

#include "base/report.h"
#include "base/text.h"

namespace renga::pipelines {
namespace {

std::string_view name_of(TargetStatus status) {
  switch (status) {
    case TargetStatus::pending:
      return "pending";
    case TargetStatus::succeeded:
      return "succeeded";
    case TargetStatus::failed:
      return "failed";
  }
  throw std::logic_error("no such status of a promotion's target");
}

TargetStatus status_named(std::string_view text) {
  if (text == "pending") return TargetStatus::pending;
  return text == "succeeded" ? TargetStatus::succeeded : TargetStatus::failed;
}

Promotion read(const store::Row& row) {
  return {
      row.id<Promotion>(0), row.id<Pipeline>(1), row.id<apps::App>(2), row.id<releases::Release>(3),
      row.integer(6) == 0,  row.time(4),         row.time(5)};
}

constexpr std::string_view select =
    "SELECT id, pipeline, source, source_release, created_at, updated_at, "
    "(SELECT count(*) FROM promotion_targets t WHERE t.promotion = promotions.id AND t.status = "
    "'pending') FROM promotions ";

// The commit says more than the slug's own id, where there is one.
std::string describe(const apps::App& source, const releases::Release& release,
                     const releases::Slug& slug) {
  const auto& what = slug.commit.empty() ? slug.id.value : slug.commit;
  return fmt::format("Promote {} v{} {}", source.name, release.version, what.substr(0, 8));
}

}  // namespace

struct Promotions::Work {
  Id<PromotionTarget> target;
  Id<apps::App> app;
  Id<releases::Release> release;
  Id<releases::Slug> slug;
  std::string description;
  Id<accounts::Account> user;
};

Result<Promotion> Promotions::promote(const accounts::Account& user, const Pipeline& pipeline,
                                      const NewPromotion& wanted) {
  const auto source = TRY(apps_.find_for(user, wanted.source, apps::Permission::deploy));
  const auto coupling = pipelines_.coupling_of(source.id);
  if (!coupling || coupling->pipeline != pipeline.id)
    return fail(Kind::invalid,
                fmt::format("{} is not in the pipeline {}.", source.name, pipeline.name));
  const auto targets = TRY(check_targets(user, pipeline, source, wanted.targets));
  const auto release = wanted.release.empty() ? releases_.current(source.id)
                                              : TRY(releases_.find(source.id, wanted.release));
  if (!release.slug)
    return fail(Kind::invalid,
                fmt::format("{} has nothing to promote: no code was released on it by v{}. Deploy "
                            "it first.",
                            source.name, release.version));
  if (release.status != releases::Status::succeeded)
    return fail(Kind::invalid, fmt::format("v{} of {} cannot be promoted: it did not succeed.",
                                           release.version, source.name));
  const auto slug = TRY(slugs_.find(*release.slug));

  const auto now = clock_.now();
  const auto id = Id<Promotion>::create();
  std::vector<Work> work;
  {
    auto transaction = database_.begin();
    const auto description = describe(source, release, slug);
    database_.run(
        "INSERT INTO promotions (id, pipeline, source, source_release, slug, description, user, "
        "created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        id, pipeline.id, source.id, release.id, slug.id, description, user.id, now, now);
    for (const auto& target : targets) {
      work.push_back({Id<PromotionTarget>::create(), target.id, Id<releases::Release>::create(),
                      slug.id, description, user.id});
      database_.run(
          "INSERT INTO promotion_targets (id, promotion, ordinal, app, release, status) "
          "VALUES (?, ?, ?, ?, ?, 'pending')",
          work.back().target, id, static_cast<int>(work.size()), target.id, work.back().release);
    }
    transaction.commit();
  }
  for (const auto& each : work) advance(each);
  return database_.first(fmt::format("{} WHERE id = ?", select), read, id).value();
}

Result<std::vector<apps::App>> Promotions::check_targets(const accounts::Account& user,
                                                         const Pipeline& pipeline,
                                                         const apps::App& source,
                                                         const std::vector<std::string>& names) {
  if (names.empty()) return fail(Kind::invalid, "`targets` is empty. Name the apps to promote to.");
  if (names.size() > most_targets)
    return fail(Kind::invalid, fmt::format("A promotion has at most {} targets.", most_targets));
  std::vector<apps::App> targets;
  std::set<std::string> seen;
  for (const auto& name : names) {
    auto target = TRY(apps_.find_for(user, name, apps::Permission::deploy));
    if (target.id == source.id)
      return fail(Kind::invalid, fmt::format("{} cannot be promoted to itself.", source.name));
    if (!seen.insert(target.id.value).second)
      return fail(Kind::invalid, fmt::format("{} is named twice.", target.name));
    const auto coupling = pipelines_.coupling_of(target.id);
    if (!coupling || coupling->pipeline != pipeline.id)
      return fail(Kind::invalid,
                  fmt::format("{} is not in the pipeline {}.", target.name, pipeline.name));
    if (target.owner != source.owner)
      return fail(Kind::invalid,
                  fmt::format("{} and {} have different owners. Code is promoted between apps of "
                              "one owner only: transfer one of the two.",
                              source.name, target.name));
    targets.push_back(std::move(target));
  }
  return targets;
}

// A job of its own: whatever happens to this target, the others go on.
void Promotions::advance(const Work& work) {
  try {
    if (const auto refused = release_on(work); !refused)
      end(work.target, TargetStatus::failed, refused.error().message);
  } catch (const std::exception& error) {
    // Pending: the next start tries again.
    report("pipelines",
           fmt::format("promotion to the app {} waits: {}", work.app.value, error.what()));
  }
}

Result<void> Promotions::release_on(const Work& work) {
  if (const auto made = releases_.find(work.release)) {
    release_changed(*made);
    return {};
  }
  const auto app = TRY(apps_.find(work.app));
  const auto slug = slugs_.find(work.slug);
  if (!slug || !slugs_.available(*slug))
    return fail(Kind::not_found, "The slug to promote is gone. Deploy that commit again.");
  if (slug->stack != app.build_stack)
    return fail(Kind::invalid,
                fmt::format("The slug was built on the stack {}, and {} is set to {}. Set it to {} "
                            "first.",
                            slug->stack, app.name, app.build_stack, slug->stack));
  apps_.set_stack(app.id, slug->stack);
  apps_.set_built(app.id, slug->buildpack_provided_description, slug->size);
  releases_.append(app.id, {.description = work.description,
                            .user = work.user,
                            .slug = work.slug,
                            .config = {},
                            .deploy = true,
                            .id = work.release});
  return {};
}

Result<Promotion> Promotions::find_for(const accounts::Account& account, std::string_view id) {
  const auto found = database_.first(fmt::format("{} WHERE id = ?", select), read, text::lower(id));
  if (!found || !pipelines_.find_for(account, found->pipeline.value, Access::view))
    return fail(Kind::not_found, "Couldn't find that promotion.");
  return *found;
}

std::vector<PromotionTarget> Promotions::targets(const Id<Promotion>& promotion) {
  auto all = database_.all(
      "SELECT id, promotion, app, release, status, error_message FROM promotion_targets "
      "WHERE promotion = ? ORDER BY ordinal",
      [](const store::Row& row) {
        return PromotionTarget{row.id<PromotionTarget>(0), row.id<Promotion>(1),
                               row.id<apps::App>(2),       row.id<releases::Release>(3),
                               status_named(row.text(4)),  row.maybe_text(5).value_or("")};
      },
      promotion);
  for (auto& one : all)
    if (!releases_.find(*one.release)) one.release.reset();
  return all;
}

void Promotions::release_changed(const releases::Release& release) {
  if (release.status == releases::Status::pending) return;
  const auto target = database_.first(
      "SELECT id FROM promotion_targets WHERE release = ? AND status = 'pending'",
      [](const store::Row& row) { return row.id<PromotionTarget>(0); }, release.id);
  if (!target) return;
  if (release.status == releases::Status::succeeded)
    end(*target, TargetStatus::succeeded, "");
  else
    end(*target, TargetStatus::failed,
        release.status == releases::Status::failed
            ? "The release command failed."
            : "A newer release came before this one's release command had ended.");
}

void Promotions::end(const Id<PromotionTarget>& id, TargetStatus status, std::string_view why) {
  auto transaction = database_.begin();
  database_.run(
      "UPDATE promotion_targets SET status = ?, error_message = ? WHERE id = ? AND status = "
      "'pending'",
      name_of(status), why.empty() ? std::optional<std::string>() : std::string(why), id);
  database_.run(
      "UPDATE promotions SET updated_at = ? WHERE id = "
      "(SELECT promotion FROM promotion_targets WHERE id = ?)",
      clock_.now(), id);
  transaction.commit();
}

void Promotions::resume() {
  const auto left = database_.all(
      "SELECT t.id, t.app, t.release, p.slug, p.description, p.user FROM promotion_targets t "
      "JOIN promotions p ON p.id = t.promotion WHERE t.status = 'pending' "
      "ORDER BY p.created_at, t.ordinal",
      [](const store::Row& row) {
        return Work{row.id<PromotionTarget>(0), row.id<apps::App>(1), row.id<releases::Release>(2),
                    row.id<releases::Slug>(3),  row.text(4),          row.id<accounts::Account>(5)};
      });
  for (const auto& each : left) advance(each);
}

}  // namespace renga::pipelines
