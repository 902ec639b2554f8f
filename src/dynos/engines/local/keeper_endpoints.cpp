// Which web dynos may get requests, as the router is told.
#include <algorithm>

#include "dynos/engines/local/keeper.h"

namespace renga::dynos {
namespace {

int web_quantity(const AppSpec& spec) {
  if (!spec.slug) return 0;
  for (const auto& process : spec.processes)
    if (process.type == "web") return process.quantity;
  return 0;
}

}  // namespace

Endpoints Keeper::endpoints_now(const Id<apps::App>& app) const {
  Endpoints all;
  int present = 0;
  std::vector<std::pair<int, Endpoint>> up;
  for (const auto& [id, kept] : kept_) {
    const auto& dyno = kept.record.dyno;
    if (dyno.app != app || dyno.type != "web" || kept.record.one_off || kept.life.stopping())
      continue;
    ++present;
    // One that is frozen takes connections: the kernel does, and keeps what comes until it is
    // awake.
    const bool takes = kept.life.state() == State::up || kept.life.frozen();
    if (takes && kept.running && !kept.gone)
      up.emplace_back(dyno.number,
                      Endpoint{id, dyno.name(), kept.running->address, kept.record.port});
    if (kept.life.state() == State::starting) all.starting = true;
    if (kept.life.state() == State::crashed) all.crashed = true;
  }
  std::ranges::stable_sort(up, {}, [](const auto& entry) { return entry.first; });
  for (auto& [number, endpoint] : up) all.up.push_back(std::move(endpoint));

  const auto known = apps_.find(app);
  const bool applied = known != apps_.end() && known->second.spec;
  all.web_quantity = applied ? web_quantity(*known->second.spec) : present;
  if (all.up.empty() && !all.crashed && all.web_quantity > 0) all.starting = true;
  if (!all.up.empty() || all.starting) all.crashed = false;
  return all;
}

bool Keeper::idle_now(const Id<apps::App>& app) const {
  const auto known = apps_.find(app);
  if (known != apps_.end() && known->second.drowsy_since) return true;
  for (const auto& [id, kept] : kept_)
    if (kept.record.dyno.app == app && kept.life.state() == State::idle && !kept.woken) return true;
  return false;
}

bool Keeper::idle(const Id<apps::App>& app) { return idle_.lock()->contains(app); }

void Keeper::publish(const Id<apps::App>& app) {
  const auto now = endpoints_now(app);
  const bool any = apps_.contains(app) || now != Endpoints();
  {
    auto board = board_.lock();
    if (any)
      (*board)[app] = now;
    else
      board->erase(app);
  }
  const bool idle = idle_now(app);
  const bool changed = idle ? idle_.lock()->insert(app).second : idle_.lock()->erase(app) > 0;
  const auto before = announced_.find(app);
  if (before != announced_.end() && before->second == now && !changed) return;
  if (any)
    announced_[app] = now;
  else
    announced_.erase(app);
  events_.on_endpoints_change(app);
}

void Keeper::expect(const AppSpec& spec) {
  auto board = board_.lock();
  auto& endpoints = (*board)[spec.app];
  endpoints.web_quantity = web_quantity(spec);
  if (endpoints.up.empty() && !endpoints.crashed) endpoints.starting = endpoints.web_quantity > 0;
}

Endpoints Keeper::endpoints(const Id<apps::App>& app) {
  auto board = board_.lock();
  const auto found = board->find(app);
  return found == board->end() ? Endpoints() : found->second;
}

}  // namespace renga::dynos
