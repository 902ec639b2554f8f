#include "pipelines/pipelines.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "base/text.h"

namespace renga::pipelines {
namespace {

std::string select(std::string_view rest) {
  return "SELECT id, name, owner, created_at, updated_at FROM pipelines " + std::string(rest);
}

Pipeline read(const store::Row& row) {
  return {row.id<Pipeline>(0), row.text(1), row.id<accounts::Account>(2), row.time(3), row.time(4)};
}

Error not_found() { return {Kind::not_found, "Couldn't find that pipeline."}; }

Result<void> check_name(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const bool fits = name.size() >= 3 && name.size() <= 30 && letter(name.front()) &&
                    std::ranges::all_of(name, [&](char c) {
                      return letter(c) || (c >= '0' && c <= '9') || c == '-';
                    });
  if (fits) return {};
  return fail(
      Kind::invalid,
      fmt::format("'{}' cannot be a pipeline's name: that starts with a letter and has 3 to "
                  "30 of a-z, 0-9 and '-'.",
                  text::printable(name.substr(0, 60))));
}

// Whoever sees one of its apps sees a pipeline.
constexpr std::string_view visible =
    "(owner = ?1 OR id IN (SELECT pipeline FROM pipeline_couplings WHERE app IN "
    "(SELECT id FROM apps WHERE owner = ?1 UNION SELECT app FROM collaborators WHERE account = "
    "?1)))";

}  // namespace

Result<Pipeline> Pipelines::create(const accounts::Account& owner, std::string_view name) {
  TRY(check_name(name));
  auto transaction = database_.begin();
  if (database_.first(select("WHERE owner = ? AND name = ?"), read, owner.id, name))
    return fail(Kind::invalid, fmt::format("{} has a pipeline {} already.", owner.email, name));
  const auto now = clock_.now();
  const Pipeline made{Id<Pipeline>::create(), std::string(name), owner.id, now, now};
  database_.run(
      "INSERT INTO pipelines (id, name, owner, created_at, updated_at) "
      "VALUES (?, ?, ?, ?, ?)",
      made.id, made.name, made.owner, now, now);
  transaction.commit();
  return made;
}

Result<Pipeline> Pipelines::find_for(const accounts::Account& account, std::string_view identity,
                                     Access access) {
  auto found = visible_to(account);
  const auto id = text::lower(identity);
  std::erase_if(found, [&](const Pipeline& one) {
    return is_uuid(identity) ? one.id.value != id : one.name != identity;
  });
  // One's own comes before others' of the same name.
  if (found.size() > 1)
    std::erase_if(found, [&, own = std::ranges::any_of(found, [&](const auto& one) {
                               return one.owner == account.id;
                             })](const auto& one) { return own && one.owner != account.id; });
  if (found.empty()) return std::unexpected(not_found());
  if (found.size() > 1)
    return fail(Kind::conflict, fmt::format("There are several pipelines {}. Name it by its id.",
                                            text::printable(identity)));
  if (access == Access::change && found.front().owner != account.id && !account.admin)
    return fail(Kind::forbidden, fmt::format("Only the owner of the pipeline {} or an "
                                             "administrator may change it.",
                                             found.front().name));
  return found.front();
}

Result<Pipeline> Pipelines::find(const Id<Pipeline>& id) {
  auto found = database_.first(select("WHERE id = ?"), read, id);
  if (!found) return std::unexpected(not_found());
  return *std::move(found);
}

std::vector<Pipeline> Pipelines::visible_to(const accounts::Account& account) {
  if (account.admin) return database_.all(select("ORDER BY name, created_at"), read);
  return database_.all(select(fmt::format("WHERE {} ORDER BY name, created_at", visible)), read,
                       account.id);
}

Result<Pipeline> Pipelines::rename(const Id<Pipeline>& id, std::string_view name) {
  TRY(check_name(name));
  auto transaction = database_.begin();
  const auto old = TRY(find(id));
  if (database_.first(select("WHERE owner = ? AND name = ? AND id != ?"), read, old.owner, name,
                      id))
    return fail(Kind::invalid, fmt::format("There is a pipeline {} already.", name));
  database_.run("UPDATE pipelines SET name = ?, updated_at = ? WHERE id = ?", name, clock_.now(),
                id);
  auto renamed = TRY(find(id));
  transaction.commit();
  return renamed;
}

Result<void> Pipelines::destroy(const Id<Pipeline>& id) {
  if (database_.run("DELETE FROM pipelines WHERE id = ?", id) == 0)
    return std::unexpected(not_found());
  return {};
}

Result<Pipeline> Pipelines::transfer(const Id<Pipeline>& id, const accounts::Account& owner) {
  auto transaction = database_.begin();
  const auto old = TRY(find(id));
  if (old.owner == owner.id)
    return fail(Kind::invalid, fmt::format("{} owns {} already.", owner.email, old.name));
  if (database_.first(select("WHERE owner = ? AND name = ?"), read, owner.id, old.name))
    return fail(Kind::invalid,
                fmt::format("{} has a pipeline {} already. Rename one of the two first.",
                            owner.email, old.name));
  for (const auto& each : couplings(id)) TRY(apps_.set_owner(each.app, owner));
  database_.run("UPDATE pipelines SET owner = ?, updated_at = ? WHERE id = ?", owner.id,
                clock_.now(), id);
  auto transferred = TRY(find(id));
  transaction.commit();
  return transferred;
}

}  // namespace renga::pipelines
