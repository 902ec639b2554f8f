#include "accounts/authorization_description.h"

#include "base/text.h"

namespace renga::accounts {

Result<Authorization> describe(store::Database& database, Clock& clock, const Id<Account>& account,
                               std::string_view id, std::string_view description) {
  if (description.size() > 1000)
    return fail(Kind::invalid, "The description is longer than 1,000 bytes. Give a shorter one.");
  if (text::printable(description) != description)
    return fail(Kind::invalid, "The description has control characters in it. Leave them out.");
  auto transaction = database.begin();
  Authorizations authorizations(database, clock);
  auto authorization = TRY(authorizations.find(account, id));
  database.run("UPDATE authorizations SET description = ?, updated_at = ? WHERE id = ?",
               description, clock.now(), authorization.id);
  authorization = TRY(authorizations.find(account, id));
  transaction.commit();
  return authorization;
}

}  // namespace renga::accounts
