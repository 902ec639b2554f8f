// Log session: the address at which a caller reads an app's log.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"

namespace renga::api {
namespace {
constexpr std::int64_t most_lines = 1'500;

Result<std::optional<Time>> time_in(const json::object& body, std::string_view key) {
  const auto given = TRY(text_in(body, key));
  if (!given) return std::nullopt;
  const auto time = parse_rfc3339(*given);
  if (!time)
    return fail(Kind::invalid, fmt::format("`{}` must be a time like 2026-01-05T10:00:00Z.", key));
  return *time;
}

}  // namespace

Result<Answer> log_session_create(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::view));
  const auto given = TRY(number_in(body, "lines"));
  if (given.value_or(0) < 0) return fail(Kind::invalid, "`lines` must not be negative.");
  logs::Filter filter;
  filter.source = TRY(text_in(body, "source"));
  // One client says `dyno` for a dyno and a type alike, another tells them apart.
  for (const auto* key : {"dyno", "dyno_name", "type"})
    if (!filter.process) filter.process = TRY(text_in(body, key));
  const auto tail = TRY(flag_in(body, "tail")).value_or(false);

  // renga's own.
  filter.since = TRY(time_in(body, "since"));
  filter.until = TRY(time_in(body, "until"));
  filter.text = TRY(text_in(body, "grep")).value_or("");
  if (tail && filter.until)
    return fail(Kind::invalid, "A tail goes on: it cannot have an `until`.");
  // Who names a beginning means all from there on.
  const auto lines = !given && filter.since
                         ? logs::Sessions::everything
                         : static_cast<std::size_t>(std::min(given.value_or(100), most_lines));

  const auto session = call.services.log_sessions.create(app.id, std::move(filter), lines, tail);
  return created(json::object{
      {"created_at", rfc3339(session.created_at)},
      {"id", session.id},
      {"logplex_url", call.url("/log-sessions/" + session.secret)},
      {"updated_at", rfc3339(session.created_at)},
  });
}

}  // namespace renga::api
