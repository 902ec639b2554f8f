// What happens around every handler, in the order in which a caller meets it: the route, the
// version, the credentials, the rate limit, the handler, and what the answer carries. Handlers know
// none of it.
#include "api/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/conventions.h"
#include "api/errors.h"
#include "api/json_text.h"
#include "api/routes.h"
#include "api/webhook_news.h"
#include "base/report.h"
#include "base/text.h"
#include "store/readers.h"

namespace renga::api {
namespace {

// A request to the Platform API holds at most 64 KiB of config vars, or a list of a few hundred
// ids.
constexpr std::size_t json_body_limit = 1 << 20;
// Of the store at once; those that find none left wait for writers.
constexpr std::size_t most_readers = 8;

Result<Answer> nowhere(const http::Request& request, const RouteTable::Match& match) {
  if (match.methods.empty())
    return fail(Kind::not_found, fmt::format("There is nothing at {} {}.", request.method,
                                             text::printable(request.path)));
  auto answer =
      refusal(405, "method_not_allowed",
              fmt::format("{} cannot be used with {}, only: {}.", request.method,
                          text::printable(request.path), text::join(match.methods, ", ")));
  answer.headers.set("Allow", text::join(match.methods, ", "));
  return answer;
}

http::Response options(const RouteTable::Match& match) {
  auto methods = match.methods;
  if (std::ranges::find(methods, "GET") != methods.end()) methods.emplace_back("HEAD");
  methods.emplace_back("OPTIONS");
  http::Response response;
  response.status = 204;
  response.headers.set("Allow", text::join(methods, ", "));
  return response;
}

http::Response as_json(Answer answer) {
  http::Response response;
  response.status = answer.status;
  response.headers = std::move(answer.headers);
  response.headers.set("Content-Type", "application/json");
  response.body = json_text(answer.body);
  return response;
}

// git shows its user a text/plain answer, and asks for a password when it is challenged.
http::Response as_git_refusal(const Answer& answer) {
  http::Response response;
  response.status = answer.status;
  response.headers = answer.headers;
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  if (answer.status == 401) response.headers.set("WWW-Authenticate", "Basic realm=\"renga\"");
  const auto* object = answer.body.if_object();
  const auto* message = object == nullptr ? nullptr : object->if_contains("message");
  if (message != nullptr && message->is_string())
    response.body = std::string(message->get_string().c_str()) + "\n";
  return response;
}

}  // namespace

struct Api::State {
  explicit State(Services given)
      : services(std::move(given)),
        parts(services),
        readers(services.database, most_readers),
        quick_reader(services.database, 1) {}

  http::Response handle(http::Request& request, RouteTable::Match match);
  http::Response respond(http::Request& request, RouteTable::Match& match);
  Result<Answer> call(const RouteRow& row, http::Request& request, http::Headers& headers);
  Result<Answer> work(const RouteRow& row, http::Request& request, http::Headers& headers);

  Services services;
  Parts parts;
  RouteTable table;
  store::Readers readers;
  store::Readers quick_reader;  // for one thread, which so never waits for a write
};

Api::Api(Services services) : state_(std::make_unique<State>(std::move(services))) {}
Api::~Api() = default;

http::Route Api::route(const http::Request& head) {
  http::Route route;
  auto match = state_->table.find(head.method, head.path);
  route.stream_body = match.row != nullptr && match.row->streams_body();
  route.quick = match.row != nullptr && match.row->work == Work::quick;
  route.body_limit = json_body_limit;
  route.handler = [this, match = std::move(match)](http::Request& request) mutable {
    return state_->handle(request, std::move(match));
  };
  return route;
}

http::Response Api::handle(http::Request& request) {
  return state_->handle(request, state_->table.find(request.method, request.path));
}

http::Response Api::State::handle(http::Request& request, RouteTable::Match match) {
  http::Response response;
  const auto request_id = joined_request_ids(request);
  try {
    response = respond(request, match);
  } catch (const std::exception& fault) {
    report("api", fmt::format("{} {} failed: {} (request id {})", request.method,
                              text::printable(request.path), fault.what(), request.id));
    response = as_json(refusal(500, "internal_server_error",
                               fmt::format("Something went wrong on this server. Its log has more, "
                                           "under the request id {}.",
                                           request.id)));
  }
  response.headers.set("Request-Id", request_id);
  return response;
}

http::Response Api::State::respond(http::Request& request, RouteTable::Match& match) {
  if (request.method == "OPTIONS" && !match.methods.empty()) return options(match);
  if (match.row == nullptr) {
    auto answer = nowhere(request, match);
    return as_json(answer ? *std::move(answer) : refusal(answer.error()));
  }
  request.params = std::move(match.params);

  http::Headers headers;
  auto answer = call(*match.row, request, headers);
  if (answer && answer->whole) {
    auto response = *std::move(answer->whole);
    for (const auto& [name, value] : headers) response.headers.set(name, value);
    return response;
  }
  auto final = answer ? *std::move(answer) : refusal(answer.error());
  for (const auto& [name, value] : headers) final.headers.set(name, value);
  if (match.row->form == Form::git) return as_git_refusal(final);

  auto response = as_json(std::move(final));
  if (response.status == 401) response.headers.set("WWW-Authenticate", "Bearer realm=\"renga\"");
  if (match.row->form == Form::json) add_caching(request, response);
  return response;
}

Result<Answer> Api::State::call(const RouteRow& row, http::Request& request,
                                http::Headers& headers) {
  if (row.work == Work::any) return work(row, request, headers);
  const auto view = (row.work == Work::quick ? quick_reader : readers).view();
  return work(row, request, headers);
}

Result<Answer> Api::State::work(const RouteRow& row, http::Request& request,
                                http::Headers& headers) {
  if (row.form == Form::json) TRY(check_version(request.headers.value_or("Accept", "")));
  Call call{services, parts, request, {}};
  if (row.needs != Needs::nothing) {
    call.caller = TRY(parts.credentials.check(request, row.needs));
    const auto& account =
        call.caller.addon ? call.caller.addon->value : call.caller.account.id.value;
    // Asking for the rest of one's budget is free.
    if (request.path == "/account/rate-limits") return row.handler(call);
    const auto left = parts.calls.take(account);
    headers.set("RateLimit-Remaining", std::to_string(left.value_or(0)));
    if (!left) {
      headers.set("Retry-After", "60");
      return fail(Kind::rate_limited,
                  "Your account reached the API rate limit. It refills by 75 calls a minute: "
                  "wait a minute, then go on more slowly.");
    }
  }
  WebhookNews news(call, row);
  auto answer = row.handler(call);
  if (answer) news.publish(call, *answer);
  return answer;
}

void Api::release_changed(const releases::Release& release) {
  publish_release(state_->services, state_->parts, release);
}
void Api::build_changed(const builds::Build& build) {
  publish_build(state_->services, state_->parts, build);
}
void Api::dyno_changed(const dynos::Dyno& dyno) {
  publish_dyno(state_->services, state_->parts, dyno);
}

}  // namespace renga::api
