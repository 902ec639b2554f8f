#include "router/route_index.h"

#include <arpa/inet.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "http/parser.h"
#include "router/affinity.h"

namespace renga::router {

RouteIndex::RouteIndex(RouteTable table, const RouteIndex* before) : generation_(table.generation) {
  std::vector<std::shared_ptr<const App>> apps;
  apps.reserve(table.routes.size());
  apps_.reserve(table.routes.size());
  dynos_.reserve(table.routes.size());
  hosts_.reserve(table.hosts.size());
  for (auto& route : table.routes) {
    const auto* known = before == nullptr ? nullptr : before->find_app(route.app);
    std::shared_ptr<const App> app;
    if (known != nullptr && (*known)->route == route) {
      app = *known;
      for (const auto& dyno : app->dynos) dynos_.emplace(dyno.state->dyno, dyno.state);
    } else {
      auto fresh = std::make_shared<App>();
      fresh->load = known != nullptr ? (*known)->load : std::make_shared<AppLoad>();
      for (const auto& backend : route.backends) {
        auto& state = dynos_[backend.dyno];
        if (!state && before != nullptr) {
          const auto old = before->dynos_.find(backend.dyno);
          if (old != before->dynos_.end()) state = old->second;
        }
        if (!state) state = std::make_shared<DynoState>(backend.dyno);
        Dyno dyno{.name = backend.name, .address = {}, .affinity = {}, .state = state};
        if (route.session_affinity) dyno.affinity = affinity_of(backend.dyno);
        dyno.address.sin_family = AF_INET;
        dyno.address.sin_port = htons(backend.port);
        ::inet_pton(AF_INET, backend.address.c_str(), &dyno.address.sin_addr);
        fresh->dynos.push_back(std::move(dyno));
      }
      fresh->route = std::move(route);
      app = std::move(fresh);
    }
    apps_.emplace(app->route.app, app);
    if (app->route.idle) idle_.push_back(app);
    apps.push_back(std::move(app));
  }
  for (const auto& [host, place] : table.hosts) {
    if (place < apps.size()) hosts_.emplace(text::lower(host), apps[place]);
  }
  challenges_.insert(table.challenges.begin(), table.challenges.end());
}

const std::shared_ptr<const App>* RouteIndex::find_app(std::string_view id) const {
  const auto found = apps_.find(id);
  return found == apps_.end() ? nullptr : &found->second;
}

std::vector<std::shared_ptr<const App>> RouteIndex::apps_in_use() const {
  std::vector<std::shared_ptr<const App>> busy;
  for (const auto& app : idle_)
    if (app->load->requests + app->load->pipes > 0) busy.push_back(app);
  return busy;
}

const std::string* RouteIndex::challenge(std::string_view target) const {
  constexpr std::string_view where = "/.well-known/acme-challenge/";
  if (challenges_.empty() || !target.starts_with(where)) return nullptr;
  const auto found = challenges_.find(target.substr(where.size()));
  return found == challenges_.end() ? nullptr : &found->second;
}

const std::shared_ptr<const App>* RouteIndex::find(std::string_view host) const {
  auto name = http::without_port(host);
  if (name.ends_with('.')) name.remove_suffix(1);
  std::array<char, 256> buffer;  // DNS names end at 253
  if (name.empty() || name.size() >= buffer.size()) return nullptr;
  // One place is left in front for the wildcard's star.
  char* const lower = buffer.data() + 1;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  const auto look_up = [&](std::string_view key) {
    const auto found = hosts_.find(key);
    return found == hosts_.end() ? nullptr : &found->second;
  };
  if (const auto* exact = look_up({lower, name.size()})) return exact;
  for (std::size_t dot = 1; dot < name.size(); ++dot) {
    if (lower[dot] != '.') continue;
    const char covered = std::exchange(lower[dot - 1], '*');
    const auto* wildcard = look_up({lower + dot - 1, name.size() - dot + 1});
    lower[dot - 1] = covered;
    if (wildcard != nullptr) return wildcard;
  }
  return nullptr;
}

}  // namespace renga::router
