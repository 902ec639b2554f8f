#include "router/meters.h"

#include "router/h_codes.h"

namespace renga::router {

void Meter::count(int status, const HCode* code, std::uint64_t bytes_in, std::uint64_t bytes_out) {
  const auto first_digit = static_cast<std::size_t>(status / 100);
  ++figures_.answers[first_digit < figures_.answers.size() ? first_digit : 0];
  figures_.bytes_in += bytes_in;
  figures_.bytes_out += bytes_out;
  if (code != nullptr) ++figures_.errors[std::string(code->code)];
}

Meter& Meters::of(const App& app) {
  auto& known = known_[app.load.get()];
  if (known == nullptr) known = &find(app, {});
  return *known;
}

Meter& Meters::of(const App& app, const Dyno& dyno) {
  auto& known = known_[dyno.state.get()];
  if (known == nullptr) known = &find(app, dyno.name);
  return *known;
}

Meter& Meters::find(const App& app, const std::string& dyno) {
  const std::pair key(app.route.app, dyno);
  auto found = meters_.find(key);
  if (found == meters_.end()) {
    if (meters_.size() >= most_) return rest_;
    found = meters_.emplace(key, std::make_unique<Meter>()).first;
  }
  found->second->name_ = app.route.name;
  return *found->second;
}

void Meters::forget(const App& was, const RouteIndex& newest) {
  known_.erase(was.load.get());
  for (const auto& dyno : was.dynos) known_.erase(dyno.state.get());
  const auto& app = was.route.app;
  if (const auto* now = newest.find_app(app); now == nullptr) {
    if (!erase(app)) gone_.insert(app);
  } else if ((*now)->route.name != was.route.name) {
    rename(**now);
  }
}

// Also of dynos that are no more: another app may have the old name by now.
void Meters::rename(const App& app) {
  const auto& id = app.route.app;
  for (auto meter = meters_.lower_bound({id, {}});
       meter != meters_.end() && meter->first.first == id; ++meter) {
    meter->second->name_ = app.route.name;
  }
}

void Meters::forget_idle(const RouteIndex& newest) {
  std::erase_if(
      gone_, [&](const std::string& app) { return newest.find_app(app) != nullptr || erase(app); });
}

// False: something of the app is under way, and its meter stays.
bool Meters::erase(const std::string& app) {
  bool busy = false;
  for (auto meter = meters_.lower_bound({app, {}});
       meter != meters_.end() && meter->first.first == app;) {
    const bool active = meter->second->figures_.active > 0;
    busy = busy || active;
    meter = active ? std::next(meter) : meters_.erase(meter);
  }
  return !busy;
}

RouterFigures Meters::read() const {
  RouterFigures all;
  all.accepted = accepted;
  all.unrouted = unrouted;
  all.dynos.reserve(meters_.size() + 1);
  for (const auto& [key, meter] : meters_) {
    all.dynos.push_back({key.first, meter->name_, key.second, meter->figures_});
  }
  if (rest_.figures_ != Figures()) all.dynos.push_back({"", "", "", rest_.figures_});
  return all;
}

}  // namespace renga::router
