#include "router/table.h"

namespace renga::router {

std::vector<std::vector<std::string>> hosts_by_route(const RouteTable& table) {
  std::vector<std::vector<std::string>> hosts(table.routes.size());
  for (const auto& [host, place] : table.hosts) {
    if (place < hosts.size()) hosts[place].push_back(host);
  }
  return hosts;
}

}  // namespace renga::router
