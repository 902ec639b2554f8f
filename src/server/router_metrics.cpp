#include "server/router_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace renga::server {
namespace {

namespace json = boost::json;

constexpr std::string_view before = "/apps/";
constexpr std::string_view behind = "/router-metrics";

json::object to_json(const router::Figures& figures) {
  json::object statuses;
  for (std::size_t i = 0; i < figures.answers.size(); ++i)
    statuses[i == 0 ? std::string("none") : fmt::format("{}xx", i)] = figures.answers[i];
  json::object errors;
  for (const auto& [code, count] : figures.errors) errors[code] = count;
  json::object latency;
  for (const int percent : {50, 95, 99})
    latency[fmt::format("p{}", percent)] = figures.took.quantile(percent / 100.0);
  return {
      {"active", figures.active},         {"bytes_in", figures.bytes_in},
      {"bytes_out", figures.bytes_out},   {"errors", std::move(errors)},
      {"latency_ms", std::move(latency)}, {"requests", figures.requests()},
      {"statuses", std::move(statuses)},
  };
}

json::object metrics_of(const json::object& app, router::RouterFigures router) {
  const auto id = app.at("id").as_string();
  std::erase_if(router.dynos, [&](const auto& one) { return one.app != std::string_view(id); });
  std::ranges::sort(router.dynos, {}, &router::DynoFigures::dyno);
  router::Figures all;
  json::array dynos;
  for (const auto& one : router.dynos) {
    all.add(one.figures);
    if (one.dyno.empty()) continue;
    auto object = to_json(one.figures);
    object["name"] = one.dyno;
    dynos.push_back(std::move(object));
  }
  auto answer = to_json(all);
  answer["app"] = json::object{{"id", id}, {"name", app.at("name")}};
  answer["dynos"] = std::move(dynos);
  return answer;
}

// The app as the API shows it to this caller, refusals and all; then what the router knows of it.
http::Response answer(http::Request& request, api::Api& api, router::RouterLink& link) {
  request.path.resize(request.path.size() - behind.size());
  request.target = request.path;
  request.query.clear();
  request.headers.remove("If-None-Match");  // figures are never the same
  auto response = api.handle(request);
  if (response.status != 200) return response;
  response.headers.remove("ETag");
  auto figures = link.figures();
  if (figures) {
    response.body =
        json::serialize(metrics_of(json::parse(response.body).as_object(), *std::move(figures)));
  } else {
    response.status = 503;
    response.body =
        json::serialize(json::object{{"id", "unavailable"}, {"message", figures.error().message}});
  }
  return response;
}

}  // namespace

std::optional<http::Route> router_metrics_route(const http::Request& head, api::Api& api,
                                                router::RouterLink& link) {
  if (head.method != "GET" || head.path.size() <= before.size() + behind.size() ||
      !head.path.starts_with(before) || !head.path.ends_with(behind))
    return std::nullopt;
  const auto app = std::string_view(head.path).substr(
      before.size(), head.path.size() - before.size() - behind.size());
  if (app.empty() || app.find('/') != std::string_view::npos) return std::nullopt;
  http::Route route;
  route.handler = [&api, &link](http::Request& request) { return answer(request, api, link); };
  return route;
}

}  // namespace renga::server
