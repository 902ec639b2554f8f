// What the resources about accounts write and ask alike.
#pragma once

#include <boost/json/object.hpp>

#include "api/call.h"

namespace renga::api {

json::object account_json(const Call& call, const accounts::Account& account);

// "~", or an id or e-mail address: the caller's own, or anybody's for an administrator.
// Kind::not_found.
Result<accounts::Account> account_named(const Call& call, std::string_view identity);

}  // namespace renga::api
