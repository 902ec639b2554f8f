// Backups: pg_dump and pg_restore as jobs in sandboxes, one at a time, each a row (a transfer) that
// says how far it is; what a crash cut off begins again. A backup is not finished before it has
// been restored into a scratch server and every table there has as many rows as the dump's
// snapshot had. Schedules make one a day and keep the last of seven days and four weeks.
//
// A thread of its own works; the calls are safe from any thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/workers.h"
#include "postgresql/databases.h"

namespace renga::postgresql {

struct Transfer {
  std::string uuid;
  std::int64_t num = 0;
  std::string app, database, name, kind, source, schedule, state;
  std::int64_t bytes = 0, source_bytes = 0;
  std::string log;
  Time created_at;
  std::optional<Time> started_at, finished_at, verified_at;
};

struct Schedule {
  std::string uuid, database, app, name;
  int hour = 0;
  std::string timezone;
  Time created_at, next_at;
};

class Backups {
 public:
  Backups(const provider::Surroundings& surroundings, Databases& databases);
  Backups(const Backups&) = delete;
  Backups& operator=(const Backups&) = delete;

  void start();

  Transfer capture(const Database& database, const std::string& app, const std::string& name);
  // `backup`: a finished one's uuid, of the same app.
  Result<Transfer> restore(const Database& database, const std::string& app,
                           const std::string& name, const std::string& backup);
  Result<void> cancel(const std::string& app, const std::string& which);
  Result<Transfer> remove(const std::string& app, const std::string& which);
  // By uuid, or by number.
  Result<Transfer> find(const std::string& app, const std::string& which) const;
  std::vector<Transfer> all(const std::string& app) const;

  Result<Schedule> schedule(const Database& database, const std::string& app,
                            const std::string& name, int hour, const std::string& timezone);
  std::vector<Schedule> schedules(const std::string& database) const;
  Result<void> unschedule(const std::string& database, const std::string& which);

  std::filesystem::path file(const Transfer& transfer) const;

 private:
  Duration serve();
  void run_due_schedules();
  void keep_a_week_of(const std::string& schedule);
  void work(const Transfer& transfer);
  Result<void> dump(const Transfer& transfer);
  Result<void> verify(const Transfer& transfer);
  Result<void> load(const Transfer& transfer);
  Transfer add(const Database& database, const std::string& app, const std::string& name,
               const std::string& kind, const std::string& source, const std::string& schedule);
  void set_state(const std::string& uuid, const std::string& state);
  void say(const std::string& uuid, const std::string& line);
  bool go_on(const std::string& uuid);
  std::filesystem::path directory(const std::string& uuid) const;
  std::optional<Transfer> by_uuid(const std::string& uuid) const;

  provider::Surroundings surroundings_;
  Databases& databases_;
  const std::filesystem::path backups_;
  Workers workers_;
};

}  // namespace renga::postgresql
