#include "apps/permissions.h"

#include "base/text.h"

namespace renga::apps {

const Permissions& all_permissions() {
  static const Permissions all{Permission::view, Permission::deploy, Permission::operate,
                               Permission::manage};
  return all;
}

std::string_view word_of(Permission permission) {
  switch (permission) {
    case Permission::view:
      return "view";
    case Permission::deploy:
      return "deploy";
    case Permission::operate:
      return "operate";
    case Permission::manage:
      return "manage";
  }
  return "";
}

std::string words_of(const Permissions& permissions) {
  std::string words;
  for (const auto permission : permissions)
    words.append(words.empty() ? "" : " ").append(word_of(permission));
  return words;
}

Permissions permissions_in(std::string_view words) {
  Permissions permissions;
  for (const auto word : text::split(words, ' '))
    for (const auto permission : all_permissions())
      if (word == word_of(permission)) permissions.insert(permission);
  return permissions;
}

Permissions Grants::of(const Collaborator& collaborator) {
  if (collaborator.owner) return all_permissions();
  const auto words = database_.first(
      "SELECT permissions FROM collaborators WHERE id = ?",
      [](const store::Row& row) { return row.text(0); }, collaborator.id);
  return permissions_in(words.value_or(""));
}

Result<Collaborator> Grants::set(Apps& apps, const Id<App>& app, std::string_view identity,
                                 Permissions permissions) {
  auto transaction = database_.begin();
  auto collaborator = TRY(find_collaborator(apps, app, identity));
  if (collaborator.owner)
    return fail(Kind::invalid,
                collaborator.account.email + " owns the app and has every permission on it.");
  permissions.insert(Permission::view);
  collaborator.updated_at = clock_.now();
  database_.run("UPDATE collaborators SET permissions = ?, updated_at = ? WHERE id = ?",
                words_of(permissions), collaborator.updated_at, collaborator.id);
  transaction.commit();
  return collaborator;
}

Result<Collaborator> find_collaborator(Apps& apps, const Id<App>& app, std::string_view identity) {
  for (auto& one : apps.collaborators(app))
    if (one.id.value == identity || one.account.id.value == identity ||
        text::equals_ignoring_case(one.account.email, identity))
      return std::move(one);
  return fail(Kind::not_found, "Couldn't find that collaborator.");
}

}  // namespace renga::apps
