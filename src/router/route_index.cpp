#include "router/route_index.h"

#include <arpa/inet.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "http/parser.h"
#include "router/affinity.h"

namespace renga::router {

// The maps of an index under construction, and what becomes different by it.
class RouteIndex::Making {
 public:
  Making(const RouteIndex& from, const RouteIndex& before, TableDifference& difference)
      : before_(before),
        difference_(difference),
        hosts_(from.hosts_),
        apps_(from.apps_),
        dynos_(from.dynos_) {}

  // As it was, if it is the same: then requests that hold it have the newest already.
  std::shared_ptr<const App> app_for(AppRoute wanted) {
    const auto* known = before_.find_app(wanted.route.app);
    for (auto& host : wanted.hosts) host = text::lower(host);
    if (known != nullptr && (*known)->route == wanted.route && (*known)->hosts == wanted.hosts) {
      return *known;
    }
    auto fresh = std::make_shared<App>();
    fresh->load = known != nullptr ? (*known)->load : std::make_shared<AppLoad>();
    for (const auto& backend : wanted.route.backends) {
      const auto* old = before_.dynos_.find(backend.dyno);
      auto state = old != nullptr ? *old : std::make_shared<DynoState>(backend.dyno);
      Dyno dyno{.name = backend.name, .address = {}, .affinity = {}, .state = std::move(state)};
      if (wanted.route.session_affinity) dyno.affinity = affinity_of(backend.dyno);
      dyno.address.sin_family = AF_INET;
      dyno.address.sin_port = htons(backend.port);
      ::inet_pton(AF_INET, backend.address.c_str(), &dyno.address.sin_addr);
      fresh->dynos.push_back(std::move(dyno));
    }
    fresh->route = std::move(wanted.route);
    fresh->hosts = std::move(wanted.hosts);
    difference_.is.push_back(fresh);
    if (known != nullptr && fresh->route.idle) difference_.idle.push_back(fresh);
    return fresh;
  }

  void put(const std::shared_ptr<const App>& app) {
    apps_.set(app->route.app, app);
    for (const auto& host : app->hosts) hosts_.set(host, app);
    for (const auto& dyno : app->dynos) dynos_.set(dyno.state->dyno, dyno.state);
  }

  void take_out(const App& app) {
    apps_.erase(app.route.app);
    for (const auto& host : app.hosts) {
      const auto* holder = hosts_.find(host);
      if (holder != nullptr && holder->get() == &app) hosts_.erase(host);
    }
    for (const auto& dyno : app.dynos) dynos_.erase(dyno.state->dyno);
  }

  // `app` is of the table before, and not the same any more.
  void differs(const std::shared_ptr<const App>& app) { difference_.was.push_back(app); }

  void finish(RouteIndex& index) {
    for (const auto& app : difference_.was) {
      for (const auto& dyno : app->dynos) {
        if (dynos_.find(dyno.state->dyno) == nullptr) difference_.left.push_back(dyno.state);
      }
    }
    index.hosts_ = std::move(hosts_).done();
    index.apps_ = std::move(apps_).done();
    index.dynos_ = std::move(dynos_).done();
  }

  const std::shared_ptr<const App>* find_app(std::string_view id) const { return apps_.find(id); }

 private:
  const RouteIndex& before_;
  TableDifference& difference_;
  NameMap<std::shared_ptr<const App>>::Edit hosts_;
  NameMap<std::shared_ptr<const App>>::Edit apps_;
  NameMap<std::shared_ptr<DynoState>>::Edit dynos_;
};

RouteIndex::RouteIndex(RouteTable table, const RouteIndex& before, TableDifference& difference)
    : generation_(table.generation), challenges_(table.challenges.begin(), table.challenges.end()) {
  Making making(RouteIndex(), before, difference);
  auto hosts = hosts_by_route(table);
  for (std::size_t i = 0; i < table.routes.size(); ++i) {
    making.put(making.app_for({std::move(table.routes[i]), std::move(hosts[i])}));
  }
  before.apps_.for_each([&](const std::shared_ptr<const App>& app) {
    const auto* now = making.find_app(app->route.app);
    if (now == nullptr || *now != app) making.differs(app);
  });
  making.finish(*this);
}

RouteIndex::RouteIndex(TableChange change, const RouteIndex& before, TableDifference& difference)
    : generation_(change.generation),
      challenges_(change.challenges.begin(), change.challenges.end()) {
  Making making(before, before, difference);
  std::vector<std::shared_ptr<const App>> apps;
  for (auto& app : change.apps) apps.push_back(making.app_for(std::move(app)));
  // What goes, goes first: another app of the same change may get its host.
  const auto take_out = [&](std::string_view id, const App* now) {
    const auto* was = before.find_app(id);
    if (was == nullptr || was->get() == now) return;
    making.take_out(**was);
    making.differs(*was);
  };
  for (const auto& id : change.gone) take_out(id, nullptr);
  for (const auto& app : apps) take_out(app->route.app, app.get());
  for (const auto& app : apps) making.put(app);
  making.finish(*this);
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
  if (const auto* exact = hosts_.find({lower, name.size()})) return exact;
  for (std::size_t dot = 1; dot < name.size(); ++dot) {
    if (lower[dot] != '.') continue;
    const char covered = std::exchange(lower[dot - 1], '*');
    const auto* wildcard = hosts_.find({lower + dot - 1, name.size() - dot + 1});
    lower[dot - 1] = covered;
    if (wildcard != nullptr) return wildcard;
  }
  return nullptr;
}

}  // namespace renga::router
