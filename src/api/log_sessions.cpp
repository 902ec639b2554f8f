// Log session: the address at which a caller reads an app's log.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"

namespace renga::api {
namespace {
constexpr std::int64_t most_lines = 1'500;
}

Result<Answer> log_session_create(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::view));
  const auto lines = TRY(number_in(body, "lines")).value_or(100);
  if (lines < 0) return fail(Kind::invalid, "`lines` must not be negative.");
  logs::Filter filter;
  filter.source = TRY(text_in(body, "source"));
  // One client says `dyno` for a dyno and a type alike, another tells them apart.
  for (const auto* key : {"dyno", "dyno_name", "type"})
    if (!filter.process) filter.process = TRY(text_in(body, key));
  const auto tail = TRY(flag_in(body, "tail")).value_or(false);

  const auto session = call.services.log_sessions.create(
      app.id, std::move(filter), static_cast<std::size_t>(std::min(lines, most_lines)), tail);
  return created(json::object{
      {"created_at", rfc3339(session.created_at)},
      {"id", session.id},
      {"logplex_url", call.url("/log-sessions/" + session.secret)},
      {"updated_at", rfc3339(session.created_at)},
  });
}

}  // namespace renga::api
