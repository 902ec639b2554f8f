#include "router/told_routes.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace renga::router {

void ToldRoutes::unname(const Route& route) {
  for (const auto& backend : route.backends) {
    named_.erase(backend.dyno);
    awaited_.insert(backend.dyno);
  }
}

void ToldRoutes::take_out(const std::string& app) {
  const auto known = apps_.find(app);
  if (known == apps_.end()) return;
  unname(known->second.route);
  untold_.insert(app);
  apps_.erase(known);
}

bool ToldRoutes::take(RouteTable table) {
  const bool asks = !table.retiring.empty() || table.challenges != challenges_;
  challenges_ = std::move(table.challenges);
  for (const auto& dyno : table.retiring) awaited_.insert(dyno);

  auto hosts = hosts_by_route(table);
  std::vector<AppRoute> apps;
  std::unordered_set<std::string> there;
  for (std::size_t i = 0; i < table.routes.size(); ++i) {
    there.insert(table.routes[i].app);
    apps.push_back({std::move(table.routes[i]), std::move(hosts[i])});
  }
  std::vector<std::string> gone;
  for (const auto& [app, route] : apps_) {
    if (!there.contains(app)) gone.push_back(app);
  }
  const bool differs = take(std::move(apps), gone);
  std::erase_if(awaited_, [&](const std::string& dyno) { return named_.contains(dyno); });
  return differs || asks;
}

bool ToldRoutes::take(std::vector<AppRoute> apps, const std::vector<std::string>& gone) {
  std::erase_if(apps, [&](AppRoute& app) {
    std::sort(app.hosts.begin(), app.hosts.end());
    const auto known = apps_.find(app.route.app);
    return known != apps_.end() && known->second == app;
  });
  // Names are given up before others are given: a host or a dyno may go from one app to another.
  for (const auto& app : gone) take_out(app);
  for (const auto& app : apps) take_out(app.route.app);
  for (auto& app : apps) {
    for (const auto& backend : app.route.backends) {
      named_.insert(backend.dyno);
      awaited_.erase(backend.dyno);
    }
    untold_.insert(app.route.app);
    auto id = app.route.app;
    apps_.insert_or_assign(std::move(id), std::move(app));
  }
  return !untold_.empty();
}

RouteTable ToldRoutes::whole(std::uint64_t generation) {
  RouteTable table{.generation = generation,
                   .routes = {},
                   .hosts = {},
                   .retiring = {awaited_.begin(), awaited_.end()},
                   .challenges = challenges_};
  for (const auto& [id, app] : apps_) {
    for (const auto& host : app.hosts) table.hosts[host] = table.routes.size();
    table.routes.push_back(app.route);
  }
  untold_.clear();
  return table;
}

TableChange ToldRoutes::change(std::uint64_t from, std::uint64_t generation) {
  TableChange change{.from = from,
                     .generation = generation,
                     .apps = {},
                     .gone = {},
                     .retiring = {awaited_.begin(), awaited_.end()},
                     .challenges = challenges_};
  for (const auto& id : std::exchange(untold_, {})) {
    const auto app = apps_.find(id);
    if (app == apps_.end()) {
      change.gone.push_back(id);
    } else {
      change.apps.push_back(app->second);
    }
  }
  return change;
}

bool ToldRoutes::retired(const std::string& dyno) {
  awaited_.erase(dyno);
  return !named_.contains(dyno);
}

}  // namespace renga::router
