#include "setups/cron_jobs.h"

#include <fmt/format.h>

#include <condition_variable>
#include <set>
#include <thread>

#include "base/locked.h"
#include "base/report.h"
#include "base/text.h"
#include "setups/app_json_file.h"

namespace renga::setups {
struct CronJobs::State {
  struct Queue {
    std::set<std::string> apps;
    bool ending = false;
  };

  void look_at(const Id<apps::App>& id) {
    if (!parts.apps.find(id)) return;
    const auto release = parts.releases.current(id);
    if (!release.slug || has_read(id, *release.slug)) return;
    const auto slug = parts.slugs.find(*release.slug);
    if (!slug) return;
    const auto directory = parts.slugs.directory(*slug);
    if (!directory) return;  // the engine says what is wrong with it
    const auto text = app_json_in(*directory);
    auto wishes = text.empty() ? scheduler::Wishes() : scheduler::wishes_of(text);
    if (wishes.errors.empty()) {
      const auto gone = parts.declared_jobs.declare(id, wishes.all);
      if (!gone) wishes.errors.push_back(gone.error().message);
      for (const auto& output : gone.value_or(std::vector<std::string>()))
        parts.outputs.remove(output);
    }
    if (!wishes.errors.empty())
      parts.logs.append(
          id, {parts.clock.now(), "heroku", "scheduler",
               fmt::format("The cron of app.json is not taken, and the jobs stay as they were. {}",
                           text::join(wishes.errors, " "))});
    parts.database.run(
        "INSERT INTO setups_cron (app, slug) VALUES (?, ?) "
        "ON CONFLICT (app) DO UPDATE SET slug = excluded.slug",
        id, *release.slug);
  }

  bool has_read(const Id<apps::App>& app, const Id<releases::Slug>& slug) {
    return parts.database
        .first(
            "SELECT 1 FROM setups_cron WHERE app = ? AND slug = ?",
            [](const store::Row&) { return true; }, app, slug)
        .has_value();
  }

  void work() {
    for (;;) {
      std::set<std::string> now;
      {
        auto guard = queue.lock();
        guard.wait(wake, [&] { return guard->ending || !guard->apps.empty(); });
        if (guard->ending) return;
        now.swap(guard->apps);
      }
      for (const auto& app : now) {
        try {
          look_at(Id<apps::App>{app});
        } catch (const std::exception& error) {
          report("setups", fmt::format("the cron of {}: {}", app, error.what()));
        }
        if (queue.lock()->ending) return;
      }
    }
  }

  CronJobsParts parts;
  Locked<Queue> queue;
  std::condition_variable wake;
  std::thread thread;
};

CronJobs::CronJobs(CronJobsParts parts) : state_(new State{parts, {}, {}, {}}) {}

CronJobs::~CronJobs() {
  state_->queue.lock()->ending = true;
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void CronJobs::start() {
  {
    auto guard = state_->queue.lock();
    for (const auto& app : state_->parts.apps.all()) guard->apps.insert(app.id.value);
  }
  state_->thread = std::thread([this] { state_->work(); });
}

void CronJobs::release_changed(const releases::Release& release) {
  if (!release.slug || release.status != releases::Status::succeeded) return;
  state_->queue.lock()->apps.insert(release.app.value);
  state_->wake.notify_all();
}

void CronJobs::look_at(const Id<apps::App>& app) { state_->look_at(app); }

}  // namespace renga::setups
