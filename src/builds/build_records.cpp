#include "builds/build_records.h"

#include "base/text.h"

namespace renga::builds {
namespace {

#define BUILD_COLUMNS                                                                       \
  "id, app, user, status, stack, buildpacks, source_url, source_version, source_checksum, " \
  "version_description, output_stream, slug, release, failure, created_at, updated_at, wanted"

constexpr int wanted_column = 16;

std::vector<std::string> lines(const std::string& text) {
  const auto views = text::lines(text);
  return {views.begin(), views.end()};
}

BuildStatus status_of(std::string_view name) {
  if (name == "succeeded") return BuildStatus::succeeded;
  return name == "failed" ? BuildStatus::failed : BuildStatus::pending;
}

Build read(const store::Row& row) {
  return {.id = row.id<Build>(0),
          .app = row.id<apps::App>(1),
          .user = row.id<accounts::Account>(2),
          .status = status_of(row.text(3)),
          .stack = row.text(4),
          .buildpacks = lines(row.text(5)),
          .source_url = row.text(6),
          .source_version = row.text(7),
          .source_checksum = row.text(8),
          .version_description = row.text(9),
          .output_stream = row.text(10),
          .slug = row.maybe_id<releases::Slug>(11),
          .release = row.maybe_id<releases::Release>(12),
          .failure = row.text(13),
          .created_at = row.time(14),
          .updated_at = row.time(15)};
}

}  // namespace

void BuildRecords::add(const Build& build, const std::vector<std::string>& wanted) {
  database_.run("INSERT INTO builds (" BUILD_COLUMNS
                ") VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, NULL, NULL, '', ?, ?, ?)",
                build.id, build.app, build.user, build.stack, text::join(build.buildpacks, "\n"),
                build.source_url, build.source_version, build.source_checksum,
                build.version_description, build.output_stream, build.created_at, build.updated_at,
                text::join(wanted, "\n"));
  changed_(build);
}

void BuildRecords::tell(const Id<Build>& id) {
  if (const auto build = find(id)) changed_(*build);
}

std::optional<Build> BuildRecords::find(const Id<Build>& id) {
  return database_.first("SELECT " BUILD_COLUMNS " FROM builds WHERE id = ?", read, id);
}

std::vector<Build> BuildRecords::all(const Id<apps::App>& app) {
  return database_.all("SELECT " BUILD_COLUMNS
                       " FROM builds WHERE app = ? ORDER BY created_at DESC, rowid DESC",
                       read, app);
}

std::vector<Build> BuildRecords::newest_ended(int limit) {
  return database_.all("SELECT " BUILD_COLUMNS
                       " FROM builds WHERE status <> 'pending' ORDER BY updated_at DESC LIMIT ?",
                       read, limit);
}

std::vector<BuildRecords::Pending> BuildRecords::pending() {
  return database_.all("SELECT " BUILD_COLUMNS
                       " FROM builds WHERE status = 'pending' ORDER BY created_at, rowid",
                       [](const store::Row& row) {
                         return Pending{read(row), lines(row.text(wanted_column))};
                       });
}

bool BuildRecords::built_before(const Id<apps::App>& app, std::string_view version) {
  return database_
      .first(
          "SELECT 1 FROM builds WHERE app = ? AND source_version = ? AND status = 'succeeded' "
          "LIMIT 1",
          [](const store::Row&) { return true; }, app, version)
      .has_value();
}

void BuildRecords::set_output_stream(const Id<Build>& id, std::string_view stream) {
  database_.run("UPDATE builds SET output_stream = ?, updated_at = ? WHERE id = ?", stream,
                clock_.now(), id);
}

void BuildRecords::succeed(const Id<Build>& id, const Id<releases::Slug>& slug,
                           const Id<releases::Release>& release,
                           const std::vector<std::string>& buildpacks) {
  const auto moved = database_.run(
      "UPDATE builds SET status = 'succeeded', slug = ?, release = ?, buildpacks = ?, updated_at = "
      "? "
      "WHERE id = ? AND status = 'pending'",
      slug, release, text::join(buildpacks, "\n"), clock_.now(), id);
  if (moved > 0) tell(id);
}

void BuildRecords::fail(const Id<Build>& id, std::string_view why) {
  const auto moved = database_.run(
      "UPDATE builds SET status = 'failed', failure = ?, updated_at = ? WHERE id = ? AND status = "
      "'pending'",
      why, clock_.now(), id);
  if (moved > 0) tell(id);
}

}  // namespace renga::builds
