// What one table has that another has not, app by app: all that has to be sent.
#include <unordered_map>

#include "router/table.h"

namespace renga::router {

std::vector<std::vector<std::string>> hosts_by_route(const RouteTable& table) {
  std::vector<std::vector<std::string>> hosts(table.routes.size());
  for (const auto& [host, place] : table.hosts) {
    if (place < hosts.size()) hosts[place].push_back(host);
  }
  return hosts;
}

std::set<std::string> differing_apps(const RouteTable& one, const RouteTable& other) {
  const auto hosts = hosts_by_route(one);
  const auto other_hosts = hosts_by_route(other);
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < one.routes.size(); ++i) places.emplace(one.routes[i].app, i);

  std::set<std::string> differing;
  for (std::size_t i = 0; i < other.routes.size(); ++i) {
    const auto& route = other.routes[i];
    const auto found = places.find(route.app);
    const bool same = found != places.end() && one.routes[found->second] == route &&
                      hosts[found->second] == other_hosts[i];
    if (!same) differing.insert(route.app);
    if (found != places.end()) places.erase(found);
  }
  for (const auto& [app, place] : places) differing.emplace(app);
  return differing;
}

TableChange change_of(const RouteTable& table, const std::set<std::string>& apps,
                      std::uint64_t from) {
  TableChange change{.from = from,
                     .generation = table.generation,
                     .apps = {},
                     .gone = {},
                     .retiring = table.retiring,
                     .challenges = table.challenges};
  std::unordered_map<std::size_t, std::size_t> places;  // in the table, to the change's
  for (std::size_t i = 0; i < table.routes.size(); ++i) {
    if (!apps.contains(table.routes[i].app)) continue;
    places.emplace(i, change.apps.size());
    change.apps.push_back({table.routes[i], {}});
  }
  for (const auto& [host, place] : table.hosts) {
    const auto found = places.find(place);
    if (found != places.end()) change.apps[found->second].hosts.push_back(host);
  }
  std::set<std::string_view> there;
  for (const auto& app : change.apps) there.insert(app.route.app);
  for (const auto& app : apps) {
    if (!there.contains(app)) change.gone.push_back(app);
  }
  return change;
}

}  // namespace renga::router
