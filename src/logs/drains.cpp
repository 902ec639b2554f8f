#include "logs/drains.h"

#include <algorithm>
#include <condition_variable>
#include <thread>

#include "base/locked.h"
#include "base/report.h"

namespace renga::logs {
namespace {

constexpr std::chrono::seconds note_every{5};

std::string context_of(const Id<Drain>& id) { return "drain/" + id.value; }

}  // namespace

struct Drains::State {
  struct Control {
    bool ending = false;
    // Drains that the courier has, by id, with their apps; the place that was noted last.
    std::map<std::string, std::pair<Id<apps::App>, std::uint64_t>> known;
  };

  State(store::Database& given_database, Clock& given_clock, const crypto::SecretBox& given_box,
        LogStore& given_store, DrainCourierOptions options)
      : database(given_database),
        clock(given_clock),
        box(given_box),
        store(given_store),
        courier(given_store, given_clock, std::move(options)) {}

  ~State() {
    control.lock()->ending = true;
    wake.notify_all();
    if (thread.joinable()) thread.join();
    note();
  }

  Drain read(const store::Row& row) const {
    Drain drain{row.id<Drain>(0),  row.id<apps::App>(1), row.text(2), {},
                row.maybe_text(4), row.time(5),          row.time(6)};
    drain.url = box.open(row.text(3), context_of(drain.id));
    return drain;
  }

  template <class... Values>
  std::vector<Drain> select(std::string_view rest, Values&&... values) {
    return database.all(
        "SELECT id, app, token, url, addon, created_at, updated_at FROM log_drains " +
            std::string(rest),
        [this](const store::Row& row) { return read(row); }, std::forward<Values>(values)...);
  }

  void deliver(const Drain& drain, std::uint64_t place) {
    auto url = DrainUrl::parse(drain.url);
    if (!url) return report("drains", "drain " + drain.id.value + ": " + url.error().message);
    control.lock()->known[drain.id.value] = {drain.app, place};
    courier.add({drain.id.value, drain.app, drain.token, *std::move(url), place});
  }

  void forget(const std::string& id) {
    courier.remove(id);
    control.lock()->known.erase(id);
  }

  // Writes down how far the drains have got, those that moved.
  void note() {
    const auto places = courier.places();
    std::vector<std::pair<std::string, std::uint64_t>> moved;
    {
      auto guard = control.lock();
      for (auto& [id, known] : guard->known) {
        const auto place = places.find(id);
        if (place == places.end() || place->second == known.second) continue;
        known.second = place->second;
        moved.emplace_back(id, place->second);
      }
    }
    if (moved.empty()) return;
    try {
      auto transaction = database.begin();
      for (const auto& [id, place] : moved)
        database.run("UPDATE log_drains SET place = ? WHERE id = ?",
                     static_cast<std::int64_t>(place), id);
      transaction.commit();
    } catch (const std::exception& trouble) {
      report("drains", trouble.what());
    }
  }

  void run() {
    for (;;) {
      {
        auto guard = control.lock();
        if (guard.wait_for(wake, note_every, [&] { return guard->ending; })) return;
      }
      note();
    }
  }

  store::Database& database;
  Clock& clock;
  const crypto::SecretBox& box;
  LogStore& store;
  DrainCourier courier;
  Locked<Control> control;
  std::condition_variable wake;
  std::thread thread;
};

Drains::Drains(store::Database& database, Clock& clock, const crypto::SecretBox& box,
               LogStore& store, DrainCourierOptions options)
    : state_(std::make_unique<State>(database, clock, box, store, std::move(options))) {}
Drains::~Drains() = default;

void Drains::start() {
  for (const auto& drain : state_->select("")) {
    const auto place = state_->database.first(
        "SELECT place FROM log_drains WHERE id = ?",
        [](const store::Row& row) { return row.integer(0); }, drain.id);
    state_->deliver(drain, static_cast<std::uint64_t>(place.value_or(0)));
  }
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Result<Drain> Drains::add(const Id<apps::App>& app, std::string_view url,
                          std::optional<std::string> addon) {
  TRY(DrainUrl::parse(url));
  // What was logged before is not the drain's.
  state_->store.settle();
  const auto place = state_->store.newest(app);
  const auto now = state_->clock.now();
  Drain drain{
      Id<Drain>::create(), app, "d." + new_uuid(), std::string(url), std::move(addon), now, now};
  {
    auto transaction = state_->database.begin();
    const auto others = all(app);
    if (std::ranges::any_of(others, [&](const Drain& other) { return other.url == url; }))
      return fail(Kind::invalid, "This app has a drain with that URL already.");
    if (!drain.addon && std::ranges::count_if(others, [](const Drain& other) {
                          return !other.addon;
                        }) >= static_cast<std::ptrdiff_t>(most))
      return fail(Kind::invalid, "An app has at most 5 drains. Remove one with `drains:remove`.");
    state_->database.run(
        "INSERT INTO log_drains (id, app, token, url, addon, place, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        drain.id, app, drain.token, store::Blob{state_->box.seal(url, context_of(drain.id))},
        drain.addon, static_cast<std::int64_t>(place), now, now);
    transaction.commit();
  }
  state_->deliver(drain, place);
  return drain;
}

std::vector<Drain> Drains::all(const Id<apps::App>& app) {
  return state_->select("WHERE app = ? ORDER BY created_at, id", app);
}

std::vector<Drain> Drains::of_addon(const std::string& addon) {
  return state_->select("WHERE addon = ? ORDER BY created_at, id", addon);
}

Result<Drain> Drains::find(const Id<apps::App>& app, std::string_view identity) {
  const auto drains = all(app);
  for (const auto& drain : drains)
    if (drain.id.value == identity || drain.token == identity || drain.url == identity)
      return drain;
  const Drain* only = nullptr;
  for (const auto& drain : drains) {
    if (shown(drain.url) != identity) continue;
    if (only != nullptr)
      return fail(Kind::invalid,
                  "Two drains look like this. Name one by its token, which begins with d.");
    only = &drain;
  }
  if (only == nullptr)
    return fail(Kind::not_found, "Couldn't find that log drain. `drains` lists those there are.");
  return *only;
}

Result<Drain> Drains::remove(const Id<apps::App>& app, std::string_view identity) {
  auto drain = TRY(find(app, identity));
  if (drain.addon)
    return fail(Kind::forbidden,
                "This drain belongs to an add-on. It goes when the add-on is destroyed.");
  state_->database.run("DELETE FROM log_drains WHERE id = ?", drain.id);
  state_->forget(drain.id.value);
  return drain;
}

Result<Drain> Drains::change(const Id<Drain>& id, std::string_view url) {
  TRY(DrainUrl::parse(url));
  const auto now = state_->clock.now();
  state_->database.run("UPDATE log_drains SET url = ?, updated_at = ? WHERE id = ?",
                       store::Blob{state_->box.seal(url, context_of(id))}, now, id);
  const auto drains = state_->select("WHERE id = ?", id);
  if (drains.empty()) return fail(Kind::not_found, "Couldn't find that log drain.");
  state_->forget(id.value);
  state_->note();
  const auto place = state_->database.first(
      "SELECT place FROM log_drains WHERE id = ?",
      [](const store::Row& row) { return row.integer(0); }, id);
  state_->deliver(drains.front(), static_cast<std::uint64_t>(place.value_or(0)));
  return drains.front();
}

void Drains::remove_of_addon(const std::string& addon) {
  for (const auto& drain : of_addon(addon)) {
    state_->database.run("DELETE FROM log_drains WHERE id = ?", drain.id);
    state_->forget(drain.id.value);
  }
}

void Drains::app_destroyed(const Id<apps::App>& app) {
  std::vector<std::string> gone;
  {
    auto guard = state_->control.lock();
    for (const auto& [id, known] : guard->known)
      if (known.first == app) gone.push_back(id);
  }
  for (const auto& id : gone) state_->forget(id);
}

}  // namespace renga::logs
