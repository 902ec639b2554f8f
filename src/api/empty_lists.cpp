// What this server does not have. Lists of what may come (webhooks, teams, OAuth clients) are
// truthfully empty, since clients ask on the way to something else; single ones are not found, and
// creating one is refused with a sentence. What never will be here, because it belongs to a company
// that rents machines out, is nowhere, and says why.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/account_handlers.h"
#include "api/handlers.h"
#include "api/small_lists.h"
#include "base/text.h"

namespace renga::api {
namespace {

// The last word of the path that names a kind of thing: "log drains" of /apps/x/log-drains.
std::string things_in(const Call& call) {
  const auto parts = text::split(call.request.path, '/');
  return text::replace_all(text::printable(parts.back()), "-", " ");
}

}  // namespace

Result<Answer> no_things(Call& call) { return small_list(call, {}, {"id"}); }

Result<Answer> no_things_of_app(Call& call) {
  TRY(call.app(apps::Permission::view));
  return no_things(call);
}

Result<Answer> no_things_of_pipeline(Call& call) {
  TRY(call.services.pipelines.find_for(call.account(), call.param("pipeline"),
                                       pipelines::Access::view));
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

Result<Answer> out_of_scope(Call&) {
  return fail(
      Kind::not_found,
      "That is not part of this server: enterprise accounts, private spaces, VPNs, invoices, "
      "credits and SMS belong to a company that rents machines out. docs/api-coverage.md "
      "lists what is here.");
}

}  // namespace renga::api
