#include "postgresql/backups.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/id.h"
#include "base/report.h"
#include "base/text.h"
#include "os/file.h"

namespace renga::postgresql {
namespace fs = std::filesystem;

namespace {

constexpr const char* columns =
    "SELECT uuid, num, app, database, name, kind, source, schedule, state, bytes, source_bytes, "
    "log, created_at, started_at, finished_at, verified_at FROM transfers";

Transfer read(const store::Row& row) {
  return {row.text(0),  row.integer(1),     row.text(2),        row.text(3),
          row.text(4),  row.text(5),        row.text(6),        row.text(7),
          row.text(8),  row.integer(9),     row.integer(10),    row.text(11),
          row.time(12), row.maybe_time(13), row.maybe_time(14), row.maybe_time(15)};
}

constexpr const char* schedule_columns =
    "SELECT uuid, database, app, name, hour, timezone, created_at, next_at FROM schedules";

Schedule read_schedule(const store::Row& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), static_cast<int>(row.integer(4)),
          row.text(5), row.time(6), row.time(7)};
}

constexpr std::size_t longest_log = 32 << 10;
constexpr std::chrono::seconds schedules_looked_at_every{20};
constexpr std::size_t daily_kept = 7, weekly_kept = 4;

// The next time it is that hour there; PostgreSQL knows the time zones.
constexpr const char* next_hour =
    "WITH today AS (SELECT date_trunc('day', now() AT TIME ZONE $1) + make_interval(hours => "
    "$2::int) AS at) SELECT extract(epoch FROM CASE WHEN at AT TIME ZONE $1 > now() THEN at AT "
    "TIME ZONE $1 ELSE (at + interval '1 day') AT TIME ZONE $1 END)::bigint FROM today";

Result<Time> next_time(Connection& connection, int hour, const std::string& timezone) {
  const auto seconds =
      text::number(TRY(connection.value(next_hour, {timezone, std::to_string(hour)})));
  if (!seconds) return fail(Kind::invalid, "There is no time zone " + timezone + ".");
  return from_micros(*seconds * 1'000'000);
}

bool has_ended(const Transfer& transfer) {
  return transfer.state == "finished" || transfer.state == "failed" ||
         transfer.state == "cancelled";
}

}  // namespace

Backups::Backups(const provider::Surroundings& surroundings, Databases& databases)
    : surroundings_(surroundings),
      databases_(databases),
      backups_(surroundings.data / "backups"),
      workers_("postgresql", [this] { return serve(); }) {
  fs::create_directories(backups_);
  fs::permissions(backups_, fs::perms(0700));
}

void Backups::start() {
  surroundings_.database.run(
      "UPDATE transfers SET state = 'pending' WHERE state IN ('running', 'verifying')");
  workers_.start();
}

Duration Backups::serve() {
  while (!workers_.stopping()) {
    run_due_schedules();
    const auto next = surroundings_.database.first(
        std::string(columns) + " WHERE state = 'pending' ORDER BY created_at LIMIT 1", read);
    if (!next) break;
    work(*next);
  }
  return schedules_looked_at_every;
}

void Backups::work(const Transfer& transfer) {
  set_state(transfer.uuid, "running");
  say(transfer.uuid, transfer.kind == "backup" ? "Backing up." : "Restoring.");
  const auto done = transfer.kind == "backup" ? dump(transfer) : load(transfer);
  if (workers_.stopping()) {
    // Begun again by the next process.
    set_state(transfer.uuid, "pending");
    return;
  }
  const auto now = by_uuid(transfer.uuid);
  if (!now || now->state == "cancelled") return;
  if (!done) {
    say(transfer.uuid, done.error().message);
    set_state(transfer.uuid, "failed");
    return;
  }
  say(transfer.uuid, transfer.kind == "backup" ? "Backup completed." : "Restore completed.");
  set_state(transfer.uuid, "finished");
  if (!transfer.schedule.empty()) keep_a_week_of(transfer.schedule);
}

fs::path Backups::directory(const std::string& uuid) const { return backups_ / uuid; }
fs::path Backups::file(const Transfer& transfer) const {
  return directory(transfer.uuid) / "out/dump";
}

bool Backups::go_on(const std::string& uuid) {
  if (workers_.stopping()) return false;
  std::error_code none;
  const auto size = fs::file_size(directory(uuid) / "out/dump", none);
  if (!none)
    surroundings_.database.run(
        "UPDATE transfers SET bytes = ? WHERE uuid = ? AND kind = 'backup' AND bytes <> ?",
        static_cast<std::int64_t>(size), uuid, static_cast<std::int64_t>(size));
  const auto now = by_uuid(uuid);
  return now && now->state != "cancelled";
}

void Backups::say(const std::string& uuid, const std::string& line) {
  const auto now = by_uuid(uuid);
  if (!now) return;
  auto log = now->log +
             fmt::format("{} {}\n", to_micros(surroundings_.clock.now()), text::printable(line));
  if (log.size() > longest_log) log.erase(0, log.size() - longest_log);
  surroundings_.database.run("UPDATE transfers SET log = ? WHERE uuid = ?", log, uuid);
}

void Backups::set_state(const std::string& uuid, const std::string& state) {
  const auto now = surroundings_.clock.now();
  surroundings_.database.run(
      "UPDATE transfers SET state = ? WHERE uuid = ? AND state <> 'cancelled'", state, uuid);
  if (state == "running")
    surroundings_.database.run("UPDATE transfers SET started_at = ? WHERE uuid = ?", now, uuid);
  if (state == "finished" || state == "failed" || state == "cancelled")
    surroundings_.database.run("UPDATE transfers SET finished_at = ? WHERE uuid = ?", now, uuid);
}

Transfer Backups::add(const Database& database, const std::string& app, const std::string& name,
                      const std::string& kind, const std::string& source,
                      const std::string& schedule) {
  auto transaction = surroundings_.database.begin();
  const auto uuid = new_uuid();
  surroundings_.database.run(
      "INSERT INTO transfers (uuid, num, app, database, name, kind, source, schedule, state, "
      "bytes, "
      "source_bytes, log, created_at) SELECT ?, coalesce(max(num) + 1, 1), ?, ?, ?, ?, ?, ?, "
      "'pending', 0, 0, '', ? FROM transfers WHERE app = ?",
      uuid, app, database.uuid, name, kind, source, schedule, surroundings_.clock.now(), app);
  auto added = *by_uuid(uuid);
  transaction.commit();
  workers_.poke();
  return added;
}

Transfer Backups::capture(const Database& database, const std::string& app,
                          const std::string& name) {
  return add(database, app, name, "backup", "", "");
}

Result<Transfer> Backups::restore(const Database& database, const std::string& app,
                                  const std::string& name, const std::string& backup) {
  const auto source = by_uuid(backup);
  if (!source || source->app != app || source->kind != "backup" || source->state != "finished")
    return fail(Kind::not_found, "There is no such finished backup of this app.");
  return add(database, app, name, "restore", backup, "");
}

std::optional<Transfer> Backups::by_uuid(const std::string& uuid) const {
  return surroundings_.database.first(std::string(columns) + " WHERE uuid = ?", read, uuid);
}

Result<Transfer> Backups::find(const std::string& app, const std::string& which) const {
  auto found = surroundings_.database.first(
      std::string(columns) + " WHERE app = ? AND (uuid = ? OR num = ?)", read, app, which,
      text::number(which).value_or(-1));
  if (!found)
    return fail(Kind::not_found, "This app has no backup " + text::printable(which) + ".");
  return *std::move(found);
}

std::vector<Transfer> Backups::all(const std::string& app) const {
  return surroundings_.database.all(std::string(columns) + " WHERE app = ? ORDER BY num", read,
                                    app);
}

Result<void> Backups::cancel(const std::string& app, const std::string& which) {
  const auto transfer = TRY(find(app, which));
  if (has_ended(transfer))
    return fail(Kind::invalid, "It has ended already; there is nothing to cancel.");
  set_state(transfer.uuid, "cancelled");
  return {};
}

Result<Transfer> Backups::remove(const std::string& app, const std::string& which) {
  const auto transfer = TRY(find(app, which));
  if (!has_ended(transfer)) return fail(Kind::conflict, "It is under way. Cancel it first.");
  surroundings_.database.run("DELETE FROM transfers WHERE uuid = ?", transfer.uuid);
  const auto parent = os::open_file(backups_, O_RDONLY | O_DIRECTORY);
  os::remove_tree(parent.get(), transfer.uuid);
  return transfer;
}

Result<Schedule> Backups::schedule(const Database& database, const std::string& app,
                                   const std::string& name, int hour, const std::string& timezone) {
  if (hour < 0 || hour > 23) return fail(Kind::invalid, "An hour is a number from 0 to 23.");
  auto connection = TRY(databases_.clusters().administer(database.server));
  const auto next = next_time(connection, hour, timezone);
  if (!next)
    return fail(Kind::invalid, "There is no time zone " + text::printable(timezone) +
                                   "; try Europe/Paris or UTC.");
  surroundings_.database.run(
      "INSERT INTO schedules (uuid, database, app, name, hour, timezone, created_at, next_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (database, name) DO UPDATE SET "
      "hour = excluded.hour, timezone = excluded.timezone, next_at = excluded.next_at",
      new_uuid(), database.uuid, app, name, hour, timezone, surroundings_.clock.now(), *next);
  return *surroundings_.database.first(
      std::string(schedule_columns) + " WHERE database = ? AND name = ?", read_schedule,
      database.uuid, name);
}

std::vector<Schedule> Backups::schedules(const std::string& database) const {
  return surroundings_.database.all(
      std::string(schedule_columns) + " WHERE database = ? ORDER BY created_at", read_schedule,
      database);
}

Result<void> Backups::unschedule(const std::string& database, const std::string& which) {
  if (surroundings_.database.run(
          "DELETE FROM schedules WHERE database = ? AND (uuid = ? OR name = ?)", database, which,
          which) == 0)
    return fail(Kind::not_found, "There is no such schedule.");
  return {};
}

void Backups::run_due_schedules() {
  const auto due = surroundings_.database.all(std::string(schedule_columns) + " WHERE next_at <= ?",
                                              read_schedule, surroundings_.clock.now());
  for (const auto& schedule : due) {
    const auto database = databases_.find(schedule.database);
    auto next = surroundings_.clock.now() + std::chrono::hours(24);
    if (database) {
      if (auto connection = databases_.clusters().administer(database->server))
        next = next_time(*connection, schedule.hour, schedule.timezone).value_or(next);
      add(*database, schedule.app, schedule.name, "backup", "", schedule.uuid);
    }
    surroundings_.database.run("UPDATE schedules SET next_at = ? WHERE uuid = ?", next,
                               schedule.uuid);
  }
}

// The last seven, and of those before one for each of four weeks.
void Backups::keep_a_week_of(const std::string& schedule) {
  const auto made = surroundings_.database.all(
      std::string(columns) + " WHERE schedule = ? AND state = 'finished' ORDER BY created_at DESC",
      read, schedule);
  std::set<std::int64_t> weeks;
  for (std::size_t i = daily_kept; i < made.size(); ++i) {
    const auto week =
        std::chrono::duration_cast<std::chrono::hours>(made[i].created_at.time_since_epoch())
            .count() /
        (7 * 24);
    if (weeks.size() < weekly_kept && weeks.insert(week).second) continue;
    if (const auto removed = remove(made[i].app, made[i].uuid); !removed)
      report("postgresql", removed.error().message);
  }
}

}  // namespace renga::postgresql
