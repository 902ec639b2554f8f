#include "apps/apps.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "apps/listing.h"
#include "apps/names.h"
#include "apps/permissions.h"
#include "base/text.h"

namespace renga::apps {
namespace {

constexpr int made_up_attempts = 20;

std::string select(std::string_view rest) {
  return "SELECT id, name, owner, stack, build_stack, maintenance, buildpack_provided_description, "
         "repo_size, slug_size, released_at, created_at, updated_at FROM apps " +
         std::string(rest);
}

App read(const store::Row& row) {
  App app;
  app.id = row.id<App>(0);
  app.name = row.text(1);
  app.owner = row.id<accounts::Account>(2);
  app.stack = row.text(3);
  app.build_stack = row.text(4);
  app.maintenance = row.flag(5);
  app.buildpack_provided_description = row.maybe_text(6);
  app.repo_size = row.maybe_integer(7);
  app.slug_size = row.maybe_integer(8);
  app.released_at = row.maybe_time(9);
  app.created_at = row.time(10);
  app.updated_at = row.time(11);
  return app;
}

Error not_found() { return {Kind::not_found, "Couldn't find that app."}; }

Error taken(std::string_view name) {
  return {Kind::invalid, "Name " + std::string(name) + " is already taken"};
}

Result<void> check_stack(const std::string& stack, const std::vector<std::string>& stacks) {
  if (std::ranges::find(stacks, stack) != stacks.end()) return {};
  return fail(Kind::invalid, "There is no stack '" + text::printable(stack) +
                                 "' here. Choose one of: " + text::join(stacks, ", ") +
                                 ". An operator adds others with `renga stacks:install`.");
}

}  // namespace

Result<App> Apps::create(const accounts::Account& owner, const NewApp& wanted) {
  if (stacks_.empty()) throw std::logic_error("an app needs a stack, and the server has none");
  const auto stack = wanted.stack.empty() ? stacks_.front() : wanted.stack;
  TRY(check_stack(stack, stacks_));
  if (!wanted.name.empty()) TRY(check_name(wanted.name));

  auto transaction = database_.begin();
  auto name = wanted.name.empty() ? made_up_name() : wanted.name;
  for (int attempt = 1; find_by_name(name); ++attempt) {
    if (!wanted.name.empty()) return std::unexpected(taken(name));
    if (attempt == made_up_attempts)
      return fail(Kind::conflict, "No free name was found for the app. Give it one.");
    name = made_up_name();
  }

  const auto now = clock_.now();
  App app;
  app.id = Id<App>::create();
  app.name = name;
  app.owner = owner.id;
  app.stack = stack;
  app.build_stack = stack;
  app.created_at = now;
  app.updated_at = now;
  database_.run(
      "INSERT INTO apps (id, name, owner, stack, build_stack, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      app.id, app.name, app.owner, app.stack, app.build_stack, now, now);
  database_.run(
      "INSERT INTO collaborators (id, app, account, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
      Id<Collaborator>::create(), app.id, owner.id, now, now);
  transaction.commit();
  return app;
}

Result<App> Apps::find_for(const accounts::Account& account, std::string_view identity,
                           Permission permission) {
  // No name is as long as a UUID, so that the two cannot be mistaken for one another.
  const auto by_id = is_uuid(identity);
  const auto app = TRY(by_id ? find(Id<App>{text::lower(identity)}) : find_by_name(identity));
  if (account.admin || app.owner == account.id) return app;

  const auto words = database_.first(
      "SELECT permissions FROM collaborators WHERE app = ? AND account = ?",
      [](const store::Row& row) { return row.text(0); }, app.id, account.id);
  // A stranger is told the same as if there were no such app, so that names cannot be probed.
  if (!words) return std::unexpected(not_found());
  if (!permissions_in(*words).contains(permission))
    return fail(Kind::forbidden, "You may not " + std::string(word_of(permission)) + " " +
                                     app.name + ": as a collaborator you have the permissions " +
                                     text::replace_all(*words, " ", ", ") +
                                     ". Its owner, or whoever may manage it, can give you more.");
  return app;
}

Result<App> Apps::find(const Id<App>& id) {
  auto app = database_.first(select("WHERE id = ?"), read, id);
  if (!app) return std::unexpected(not_found());
  return *std::move(app);
}

Result<App> Apps::find_by_name(std::string_view name) {
  auto app = database_.first(select("WHERE name = ?"), read, name);
  if (!app) return std::unexpected(not_found());
  return *std::move(app);
}

std::vector<App> Apps::all() { return database_.all(select("ORDER BY name"), read); }

std::vector<App> Apps::visible_to(const accounts::Account& account) {
  if (account.admin) return all();
  return database_.all(select("WHERE owner = ? OR id IN "
                              "(SELECT app FROM collaborators WHERE account = ?) ORDER BY name"),
                       read, account.id, account.id);
}

std::vector<App> visible_to(store::Database& database, const accounts::Account& account,
                            const Listing& listing) {
  // An administrator's walk goes along the column's index until there is enough. Anybody else's few
  // of many are found by whose they are: the plus keeps SQLite from walking past all the others.
  const auto whose = account.admin ? "?1 IS NOT NULL"
                                   : "(owner = ?1 OR id IN "
                                     "(SELECT app FROM collaborators WHERE account = ?1))";
  const auto by = fmt::format("{}{}", account.admin ? "" : "+",
                              listing.by == Listing::By::name ? "name" : "id");
  return database.all(
      select(fmt::format("WHERE {0} AND (?2 IS NULL OR {1} >= ?2) AND (?3 IS NULL OR {1} <= ?3) "
                         "ORDER BY {1} {2} LIMIT ?4",
                         whose, by, listing.descending ? "DESC" : "ASC")),
      read, account.id, listing.least, listing.greatest, static_cast<std::int64_t>(listing.most));
}

Result<App> Apps::update(const Id<App>& id, const AppChanges& changes) {
  if (changes.name) TRY(check_name(*changes.name));
  if (changes.build_stack) TRY(check_stack(*changes.build_stack, stacks_));

  auto transaction = database_.begin();
  auto app = TRY(find(id));
  if (changes.name && *changes.name != app.name) {
    if (find_by_name(*changes.name)) return std::unexpected(taken(*changes.name));
    app.name = *changes.name;
  }
  app.maintenance = changes.maintenance.value_or(app.maintenance);
  app.build_stack = changes.build_stack.value_or(app.build_stack);
  app.updated_at = clock_.now();
  database_.run(
      "UPDATE apps SET name = ?, maintenance = ?, build_stack = ?, updated_at = ? WHERE id = ?",
      app.name, app.maintenance, app.build_stack, app.updated_at, id);
  transaction.commit();
  return app;
}

Result<void> Apps::destroy(const Id<App>& id) {
  if (database_.run("DELETE FROM apps WHERE id = ?", id) == 0) return std::unexpected(not_found());
  return {};
}

void Apps::set_stack(const Id<App>& id, std::string_view stack) {
  database_.run("UPDATE apps SET stack = ?, updated_at = ? WHERE id = ?", stack, clock_.now(), id);
}

void Apps::set_built(const Id<App>& id, std::string_view buildpack_description,
                     std::int64_t slug_size) {
  database_.run(
      "UPDATE apps SET buildpack_provided_description = ?, slug_size = ?, updated_at = ? "
      "WHERE id = ?",
      buildpack_description, slug_size, clock_.now(), id);
}

void Apps::set_repo_size(const Id<App>& id, std::int64_t bytes) {
  database_.run("UPDATE apps SET repo_size = ?, updated_at = ? WHERE id = ?", bytes, clock_.now(),
                id);
}

void Apps::set_released(const Id<App>& id, Time at) {
  database_.run("UPDATE apps SET released_at = ?, updated_at = ? WHERE id = ?", at, clock_.now(),
                id);
}

}  // namespace renga::apps
