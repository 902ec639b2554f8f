// What this server does not have: teams, spaces, drains, keys. Lists of it are
// truthfully empty, since clients ask on the way to something else; single ones are not found, and
// creating one is refused with a sentence.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/handlers.h"
#include "base/text.h"

namespace renga::api {
namespace {

// The last word of the path that names a kind of thing: "log drains" of /apps/x/log-drains.
std::string things_in(const Call& call) {
  const auto parts = text::split(call.request.path, '/');
  return text::replace_all(text::printable(parts.back()), "-", " ");
}

}  // namespace

Result<Answer> no_things(Call&) { return ok(json::array()); }

Result<Answer> no_things_of_app(Call& call) {
  TRY(call.app(apps::Permission::view));
  return no_things(call);
}

Result<Answer> no_such_thing(Call&) {
  return fail(Kind::not_found, "Couldn't find that: there are none on this server.");
}

Result<Answer> no_such_thing_of_app(Call& call) {
  TRY(call.app(apps::Permission::view));
  return no_such_thing(call);
}

Result<Answer> not_offered(Call& call) {
  return fail(Kind::unsupported, fmt::format("This server does not offer that yet ({} {}).",
                                             call.request.method, things_in(call)));
}

Result<Answer> not_offered_of_app(Call& call) {
  TRY(call.app(apps::Permission::view));
  return not_offered(call);
}

}  // namespace renga::api
