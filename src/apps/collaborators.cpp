// The part of Apps that says who works on an app.
#include "apps/apps.h"
#include "apps/permissions.h"

namespace renga::apps {
namespace {

std::string select(std::string_view rest) {
  return "SELECT c.id, c.app, c.created_at, c.updated_at, a.id = apps.owner, a.id, a.email, "
         "a.name, "
         "a.admin, a.created_at, a.updated_at FROM collaborators c "
         "JOIN accounts a ON a.id = c.account JOIN apps ON apps.id = c.app " +
         std::string(rest);
}

Collaborator read(const store::Row& row) {
  return {row.id<Collaborator>(0),
          row.id<App>(1),
          {row.id<accounts::Account>(5), row.text(6), row.text(7), row.flag(8), row.time(9),
           row.time(10)},
          row.flag(4),
          row.time(2),
          row.time(3)};
}

}  // namespace

std::vector<Collaborator> Apps::collaborators(const Id<App>& app) {
  return database_.all(select("WHERE c.app = ? ORDER BY a.email"), read, app);
}

Result<Collaborator> Apps::add_collaborator(const Id<App>& id, const accounts::Account& account) {
  auto transaction = database_.begin();
  const auto app = TRY(find(id));
  const auto already = database_.first(
      "SELECT 1 FROM collaborators WHERE app = ? AND account = ?", [](const auto&) { return true; },
      id, account.id);
  if (already)
    return fail(Kind::invalid, account.email + " is already a collaborator on " + app.name + ".");

  const auto now = clock_.now();
  const Collaborator collaborator{Id<Collaborator>::create(), id, account, false, now, now};
  database_.run(
      "INSERT INTO collaborators (id, app, account, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
      collaborator.id, id, account.id, now, now);
  transaction.commit();
  return collaborator;
}

Result<Collaborator> Apps::remove_collaborator(const Id<App>& id, std::string_view identity) {
  auto transaction = database_.begin();
  const auto app = TRY(find(id));
  const auto found = TRY(find_collaborator(*this, id, identity));
  if (found.owner)
    return fail(Kind::invalid, found.account.email + " owns " + app.name +
                                   " and cannot be taken off it. Transfer or destroy the app "
                                   "instead.");
  database_.run("DELETE FROM collaborators WHERE id = ?", found.id);
  transaction.commit();
  return found;
}

Result<App> Apps::set_owner(const Id<App>& id, const accounts::Account& owner) {
  auto transaction = database_.begin();
  TRY(find(id));
  const auto now = clock_.now();
  database_.run("UPDATE apps SET owner = ?, updated_at = ? WHERE id = ?", owner.id, now, id);
  database_.run(
      "INSERT INTO collaborators (id, app, account, created_at, updated_at) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (app, account) DO NOTHING",
      Id<Collaborator>::create(), id, owner.id, now, now);
  auto changed = TRY(find(id));
  transaction.commit();
  return changed;
}

}  // namespace renga::apps
