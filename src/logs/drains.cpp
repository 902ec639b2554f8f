#include "logs/drains.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/locked.h"
#include "base/report.h"

namespace renga::logs {
namespace {

// With the second that a frame gathers for, what a crash may send twice is five seconds of lines.
constexpr std::chrono::seconds note_every{4};
constexpr std::chrono::microseconds one_micro{1};

std::string context_of(const Id<Drain>& id) { return "drain/" + id.value; }

}  // namespace

struct Drains::State {
  struct Known {
    Id<apps::App> app;
    std::uint64_t place = 0;  // that was noted last
    Time updated_at = {};     // of the row that it is delivered by
  };
  struct Control {
    bool ending = false;
    std::map<std::string, Known> known;  // drains that the courier has, by id
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

  void insert(const Drain& drain, std::uint64_t place) {
    database.run(
        "INSERT INTO log_drains (id, app, token, url, addon, place, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        drain.id, drain.app, drain.token, store::Blob{box.seal(drain.url, context_of(drain.id))},
        drain.addon, static_cast<std::int64_t>(place), drain.created_at, drain.updated_at);
  }

  void deliver(const Drain& drain) {
    auto url = DrainUrl::parse(drain.url);
    if (!url) return report("drains", "drain " + drain.id.value + ": " + url.error().message);
    const auto noted = database.first(
        "SELECT place FROM log_drains WHERE id = ?",
        [](const store::Row& row) { return row.integer(0); }, drain.id);
    if (!noted) return;
    const auto place = static_cast<std::uint64_t>(*noted);
    control.lock()->known[drain.id.value] = {drain.app, place, drain.updated_at};
    courier.add({drain.id.value, drain.app, drain.token, *std::move(url), place});
  }

  void forget(const std::string& id) {
    courier.remove(id);
    control.lock()->known.erase(id);
  }

  // What is delivered follows the rows: those that are new or changed, and those that are gone.
  void align() {
    const std::scoped_lock alone(aligning);
    note();
    std::map<std::string, Known> gone = control.lock()->known;
    for (const auto& drain : select("")) {
      const auto known = gone.find(drain.id.value);
      const bool same = known != gone.end() && known->second.updated_at == drain.updated_at;
      if (known != gone.end() && !same) forget(drain.id.value);
      if (known != gone.end()) gone.erase(known);
      if (!same) deliver(drain);
    }
    for (const auto& [id, known] : gone) forget(id);
  }

  // Writes down how far the drains have got, those that moved.
  void note() {
    const auto places = courier.places();
    std::vector<std::pair<std::string, std::uint64_t>> moved;
    {
      auto guard = control.lock();
      for (auto& [id, known] : guard->known) {
        const auto place = places.find(id);
        if (place == places.end() || place->second == known.place) continue;
        known.place = place->second;
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
  std::mutex aligning;  // held while rows and deliveries are made to agree; never in a transaction
  std::atomic<bool> stale = false;
  Locked<Control> control;
  std::condition_variable wake;
  std::thread thread;
};

Drains::Drains(store::Database& database, Clock& clock, const crypto::SecretBox& box,
               LogStore& store, DrainCourierOptions options)
    : state_(std::make_unique<State>(database, clock, box, store, std::move(options))) {}
Drains::~Drains() = default;

void Drains::start() {
  state_->align();
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Result<Drain> Drains::add(const Id<apps::App>& app, std::string_view url) {
  TRY(DrainUrl::parse(url));
  // What was logged before is not the drain's.
  state_->store.settle();
  const auto place = state_->store.newest(app);
  const auto now = state_->clock.now();
  const Drain drain{Id<Drain>::create(), app, "d." + new_uuid(), std::string(url), {}, now, now};
  const std::scoped_lock aligning(state_->aligning);
  {
    auto transaction = state_->database.begin();
    const auto others = all(app);
    if (std::ranges::any_of(others, [&](const Drain& other) { return other.url == url; }))
      return fail(Kind::invalid, "This app has a drain with that URL already.");
    if (std::ranges::count_if(others, [](const Drain& other) { return !other.addon; }) >=
        static_cast<std::ptrdiff_t>(most))
      return fail(Kind::invalid, "An app has at most 5 drains. Remove one with `drains:remove`.");
    state_->insert(drain, place);
    transaction.commit();
  }
  state_->deliver(drain);
  return drain;
}

std::vector<Drain> Drains::all(const Id<apps::App>& app) {
  return state_->select("WHERE app = ? ORDER BY created_at, id", app);
}

Result<Drain> choose_drain(const std::vector<Drain>& drains, std::string_view identity) {
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

Result<Drain> Drains::find(const Id<apps::App>& app, std::string_view identity) {
  return choose_drain(all(app), identity);
}

Result<Drain> Drains::remove(const Id<apps::App>& app, std::string_view identity) {
  auto drain = TRY(find(app, identity));
  if (drain.addon)
    return fail(Kind::forbidden,
                "This drain belongs to an add-on. It goes when the add-on is destroyed.");
  const std::scoped_lock aligning(state_->aligning);
  state_->database.run("DELETE FROM log_drains WHERE id = ?", drain.id);
  state_->forget(drain.id.value);
  return drain;
}

std::vector<Drain> Drains::of_addon(std::string_view addon) {
  return state_->select("WHERE addon = ? ORDER BY created_at, id", addon);
}

Result<Drain> Drains::put_of_addon(const Id<apps::App>& app, std::string_view addon,
                                   std::string_view token, std::string_view url) {
  TRY(DrainUrl::parse(url));
  const auto now = state_->clock.now();
  auto transaction = state_->database.begin();
  auto drains = state_->select("WHERE addon = ? AND token = ?", addon, token);
  if (drains.empty()) {
    drains.push_back({Id<Drain>::create(), app, std::string(token), std::string(url),
                      std::string(addon), now, now});
    state_->insert(drains.front(), state_->store.newest(app));
  } else if (drains.front().url != url) {
    drains.front().url = url;
    drains.front().updated_at = std::max(now, drains.front().updated_at + one_micro);
    state_->database.run("UPDATE log_drains SET url = ?, updated_at = ? WHERE id = ?",
                         store::Blob{state_->box.seal(url, context_of(drains.front().id))},
                         drains.front().updated_at, drains.front().id);
  }
  state_->stale = true;
  transaction.commit();
  return drains.front();
}

void Drains::remove_of_addon(std::string_view addon, std::string_view token) {
  state_->database.run("DELETE FROM log_drains WHERE addon = ? AND token = ?", addon, token);
  state_->stale = true;
}

void Drains::remove_all_of_addon(std::string_view addon) {
  if (state_->database.run("DELETE FROM log_drains WHERE addon = ?", addon) > 0)
    state_->stale = true;
}

void Drains::follow() {
  if (state_->stale.exchange(false)) state_->align();
}

void Drains::app_destroyed(const Id<apps::App>& app) {
  std::vector<std::string> gone;
  {
    auto guard = state_->control.lock();
    for (const auto& [id, known] : guard->known)
      if (known.app == app) gone.push_back(id);
  }
  for (const auto& id : gone) state_->forget(id);
}

}  // namespace renga::logs
