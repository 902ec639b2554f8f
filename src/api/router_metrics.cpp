// Router metrics: what the router has counted of an app's requests since it started. renga's own.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/handlers.h"

namespace renga::api {
namespace {

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

}  // namespace

Result<Answer> router_metrics(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  auto figures = TRY(call.services.router_figures());
  std::erase_if(figures.dynos, [&](const auto& one) { return one.app != app.id.value; });
  std::ranges::sort(figures.dynos, {}, &router::DynoFigures::dyno);
  router::Figures all;
  json::array dynos;
  for (const auto& one : figures.dynos) {
    all.add(one.figures);
    if (one.dyno.empty()) continue;  // what no dyno got
    auto object = to_json(one.figures);
    object["name"] = one.dyno;
    dynos.push_back(std::move(object));
  }
  auto answer = to_json(all);
  answer["app"] = json::object{{"id", app.id.value}, {"name", app.name}};
  answer["dynos"] = std::move(dynos);
  return ok(std::move(answer));
}

}  // namespace renga::api
