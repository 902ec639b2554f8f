// What a token is for, said anew. Blocks on the store; safe from any thread.
#pragma once

#include <string_view>

#include "accounts/authorizations.h"

namespace renga::accounts {

// Kind::not_found, also for another account's; Kind::invalid: too long, or no printable text.
Result<Authorization> describe(store::Database& database, Clock& clock, const Id<Account>& account,
                               std::string_view id, std::string_view description);

}  // namespace renga::accounts
