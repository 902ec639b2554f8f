#include "dynos/engines/local/records.h"

namespace renga::dynos {
namespace {

#define DYNO_COLUMNS                                                                    \
  "id, app, one_off, type, number, command, size, release, release_version, state, "    \
  "state_since, created_at, exit_status, port, log_secret, output_stream, expires_at, " \
  "asked, launched, boot, crashes, retry_at, ended_at, cleared, attached"

std::string_view name_of(Asked asked) {
  return asked == Asked::replace ? "replace" : asked == Asked::stop ? "stop" : "";
}
Asked asked_named(std::string_view name) {
  return name == "replace" ? Asked::replace : name == "stop" ? Asked::stop : Asked::nothing;
}

Record read(const store::Row& row) {
  Record record;
  auto& dyno = record.dyno;
  dyno.id = row.id<Dyno>(0);
  dyno.app = row.id<apps::App>(1);
  record.one_off = row.flag(2);
  dyno.type = row.text(3);
  dyno.number = static_cast<int>(row.integer(4));
  dyno.command = row.text(5);
  dyno.size = row.text(6);
  dyno.release = row.id<releases::Release>(7);
  dyno.release_version = static_cast<int>(row.integer(8));
  dyno.state = state_named(row.text(9));
  dyno.state_since = row.time(10);
  dyno.created_at = row.time(11);
  if (const auto status = row.maybe_integer(12)) dyno.exit_status = static_cast<int>(*status);
  record.port = static_cast<int>(row.integer(13));
  record.log_secret = row.text(14);
  record.output_stream = row.text(15);
  record.expires_at = row.maybe_time(16);
  record.asked = asked_named(row.text(17));
  record.launched = row.flag(18);
  record.boot = row.text(19);
  record.crashes = static_cast<int>(row.integer(20));
  record.retry_at = row.time(21);
  record.ended_at = row.maybe_time(22);
  record.cleared = row.flag(23);
  record.attached = row.flag(24);
  return record;
}

}  // namespace

void Records::insert(const Record& record) {
  const auto& dyno = record.dyno;
  database_.run(
      "INSERT INTO local_dynos (" DYNO_COLUMNS
      ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      dyno.id, dyno.app, record.one_off, dyno.type, dyno.number, dyno.command, dyno.size,
      dyno.release, dyno.release_version, dynos::name_of(dyno.state), dyno.state_since,
      dyno.created_at, dyno.exit_status, record.port, record.log_secret, record.output_stream,
      record.expires_at, name_of(record.asked), record.launched, record.boot, record.crashes,
      record.retry_at, record.ended_at, record.cleared, record.attached);
}

void Records::update(const Record& record) {
  const auto& dyno = record.dyno;
  database_.run(
      "UPDATE local_dynos SET state = ?, state_since = ?, exit_status = ?, launched = ?, "
      "crashes = ?, retry_at = ?, ended_at = ?, cleared = ? WHERE id = ?",
      dynos::name_of(dyno.state), dyno.state_since, dyno.exit_status, record.launched,
      record.crashes, record.retry_at, record.ended_at, record.cleared, dyno.id);
}

void Records::erase(const Id<Dyno>& id) {
  database_.run("DELETE FROM local_dynos WHERE id = ?", id);
}

void Records::erase_all(const Id<apps::App>& app) {
  database_.run("DELETE FROM local_dynos WHERE app = ?", app);
}

void Records::purge(Time before) {
  database_.run("DELETE FROM local_dynos WHERE one_off = 1 AND cleared = 1 AND ended_at < ?",
                before);
}

std::vector<Record> Records::all() {
  return database_.all("SELECT " DYNO_COLUMNS " FROM local_dynos ORDER BY created_at, rowid", read);
}

std::vector<Record> Records::living(const Id<apps::App>& app) {
  return database_.all("SELECT " DYNO_COLUMNS
                       " FROM local_dynos WHERE app = ? AND ended_at IS NULL AND state <> 'down' "
                       "ORDER BY one_off, type <> 'web', type, number, created_at",
                       read, app);
}

std::optional<Record> Records::find(const Id<Dyno>& id) {
  return database_.first("SELECT " DYNO_COLUMNS " FROM local_dynos WHERE id = ?", read, id);
}

void Records::ask(const Id<apps::App>& app, std::string_view type, int number, Asked what) {
  database_.run(
      "UPDATE local_dynos SET asked = ?, crashes = 0, retry_at = 0 WHERE app = ? AND one_off = 0 "
      "AND ended_at IS NULL AND (? = '' OR type = ?) AND (? = 0 OR number = ?)",
      name_of(what), app, type, type, number, number);
}

void Records::ask(const Id<Dyno>& one_off, Asked what) {
  database_.run("UPDATE local_dynos SET asked = ? WHERE id = ? AND ended_at IS NULL", name_of(what),
                one_off);
}

Asked Records::asked(const Id<Dyno>& id) {
  return database_
      .first(
          "SELECT asked FROM local_dynos WHERE id = ?",
          [](const store::Row& row) { return asked_named(row.text(0)); }, id)
      .value_or(Asked::nothing);
}

}  // namespace renga::dynos
