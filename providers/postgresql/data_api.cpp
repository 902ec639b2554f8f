#include "postgresql/data_api.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "postgresql/transfer_json.h"

namespace renga::postgresql {
namespace json = boost::json;

namespace {

using provider::DataCall;

std::string text_of(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  if (found == nullptr) return {};
  if (found->is_string()) return std::string(found->get_string());
  return found->is_null() ? std::string() : json::serialize(*found);
}

Error no_such_call() { return {Kind::not_found, "heroku-postgresql has no such call."}; }

// What the commands of Heroku's CLI ask for that is not here, and what there is instead.
constexpr std::pair<std::string_view, std::string_view> not_offered[] = {
    {"transfers",
     "Databases are not copied directly: make a backup with pg:backups:capture, and "
     "restore it into the other with pg:backups:restore."},
    {"config", "The settings of a server are its plan's."},
    {"links", "Databases cannot be linked."},
    {"unfollow", "This database follows no other."},
    {"upgrade", "This database runs the newest version that this machine has."},
    {"maintenance", "There is no maintenance."},
};

Error not_here(std::string_view what) {
  for (const auto& [name, instead] : not_offered)
    if (name == what) return {Kind::invalid, std::string(instead)};
  return no_such_call();
}

std::string part(const DataCall& call, std::size_t index) {
  return index < call.path.size() ? call.path[index] : std::string();
}

std::string amount(std::int64_t bytes) {
  constexpr const char* units[] = {"bytes", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace

Result<json::value> DataApi::answer(const DataCall& call) {
  if (call.path.size() >= 4 && part(call, 0) == "client" && part(call, 1) == "v11") {
    if (part(call, 2) == "databases") return database(call);
    if (part(call, 2) == "apps" && part(call, 4) == "transfers") return transfers(call);
  }
  if (call.path.size() >= 5 && part(call, 0) == "postgres" && part(call, 1) == "v0" &&
      part(call, 2) == "databases")
    return credentials(call);
  return std::unexpected(no_such_call());
}

Result<std::vector<std::pair<std::string, std::string>>> DataApi::info(const Database& database) {
  const auto* plan = find_plan(database.plan);
  std::vector<std::pair<std::string, std::string>> rows{{"Plan", std::string(plan->title)}};
  auto connection = databases_.clusters().administer(database.server, database.dbname);
  rows.emplace_back("Status", connection ? "Available" : "Unavailable");
  if (connection) {
    const auto numbers = connection->run(
        "SELECT pg_database_size($1), (SELECT count(*) FROM pg_stat_activity WHERE datname = $1 "
        "AND "
        "usename <> 'postgres'), current_setting('server_version'), (SELECT count(*) FROM "
        "pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema'))",
        {database.dbname});
    if (numbers && !numbers->empty()) {
      const auto& row = numbers->front();
      const auto size = text::number(row[0]).value_or(0);
      rows.emplace_back("Connections", fmt::format("{}/{}", row[1], plan->connections));
      rows.emplace_back("PG Version", std::string(text::split(row[2], ' ').front()));
      rows.emplace_back("Created", rfc3339(database.created_at));
      rows.emplace_back(
          "Data Size",
          fmt::format("{} / {} ({:.2f}%)", amount(size), amount(plan->disk_bytes),
                      100.0 * static_cast<double>(size) / static_cast<double>(plan->disk_bytes)));
      rows.emplace_back("Tables", row[3]);
    }
  }
  if (const auto server = databases_.clusters().servers().find(database.server))
    rows.emplace_back(plan->dedicated ? "Memory" : "Memory of the shared server",
                      amount(databases_.clusters().servers().memory(*server)));
  rows.emplace_back("Fork/Follow", "Unsupported");
  rows.emplace_back("Rollback", "Unsupported");
  rows.emplace_back("Continuous Protection", "Off");
  return rows;
}

Result<json::value> DataApi::database(const DataCall& call) {
  const auto what = part(call, 4);
  if (what == "wait_status" && call.method == "GET") {
    const auto found = databases_.find(call.addon);
    return json::value{{"waiting?", !found.has_value()},
                       {"message", found ? "available" : "preparing"},
                       {"error?", false}};
  }
  const auto found = TRY(databases_.find(call.addon));
  if (what.empty() && call.method == "GET") {
    json::array rows;
    const auto all = TRY(info(found));
    for (const auto& [name, text] : all)
      rows.push_back({{"name", name}, {"values", json::array{text}}});
    const auto owner = TRY(databases_.credential(found, "default"));
    const auto* plan = find_plan(found.plan);
    return json::value{{"info", std::move(rows)},
                       {"addon_id", found.uuid},
                       {"name", found.name},
                       {"heroku_resource_id", found.name},
                       {"resource_url", databases_.url(found, owner)},
                       {"plan", found.plan},
                       {"following", nullptr},
                       {"forked_from", nullptr},
                       {"created_at", rfc3339(found.created_at)},
                       {"formation", json::object{{"id", found.server}, {"primary", nullptr}}},
                       {"leader", nullptr},
                       {"standalone?", true},
                       {"waiting?", false},
                       {"target_transaction", nullptr},
                       {"connection_limit", plan->connections}};
  }
  if (what == "reset" && call.method == "PUT") {
    TRY(databases_.reset(found));
    return json::value{{"message", "Reset completed."}};
  }
  if (what == "connection_reset" && call.method == "POST") {
    TRY(databases_.end_sessions(found));
    return json::value{{"message", "Connections terminated."}};
  }
  if (what == "backups" && call.method == "POST")
    return transfer_json(backups_.capture(found, call.app, found.name));
  if (what == "restores" && call.method == "POST") {
    // What to_url of a backup says; other places are not fetched from.
    const auto url = text_of(call.body, "backup_url");
    const auto prefix = std::string(backup_scheme);
    if (!url.starts_with(prefix))
      return fail(
          Kind::invalid,
          "Only backups that this server made can be restored: name one (b001), not a URL.");
    return transfer_json(
        TRY(backups_.restore(found, call.app, found.name, url.substr(prefix.size()))));
  }
  if (what == "transfer-schedules") return schedules(call, found);
  if (what == "links" && call.method == "GET") return json::array();
  return std::unexpected(not_here(what));
}

Result<json::value> DataApi::schedules(const DataCall& call, const Database& database) {
  if (call.method == "GET") {
    json::array all;
    for (const auto& schedule : backups_.schedules(database.uuid))
      all.push_back(schedule_json(schedule));
    return all;
  }
  if (call.method == "POST") {
    const auto name = text_of(call.body, "schedule_name");
    const auto timezone = text_of(call.body, "timezone");
    return schedule_json(TRY(
        backups_.schedule(database, call.app, name.empty() ? "DATABASE_URL" : name,
                          static_cast<int>(text::number(text_of(call.body, "hour")).value_or(-1)),
                          timezone.empty() ? "UTC" : timezone)));
  }
  if (call.method == "DELETE" && call.path.size() == 6) {
    TRY(backups_.unschedule(database.uuid, part(call, 5)));
    return json::object{};
  }
  return std::unexpected(no_such_call());
}

json::object DataApi::credential_json(const Database& database, const Credential& credential,
                                      bool whole) {
  json::object shown{{"uuid", database.uuid + "/" + credential.name},
                     {"name", credential.name},
                     {"state", credential.state == "active" ? "active" : "rotating"},
                     {"credentials", json::array{{{"user", credential.user},
                                                  {"password", credential.password},
                                                  {"state", "active"},
                                                  {"connections", 0}}}}};
  if (whole) {
    shown["database"] = database.dbname;
    shown["host"] = databases_.clusters().target(database.server).address;
    shown["port"] = port;
  }
  return shown;
}

// /postgres/v0/databases/:id/credentials, …/credentials/:name,
// …/credentials/:name/credentials_rotation
Result<json::value> DataApi::credentials(const DataCall& call) {
  const auto found = TRY(databases_.find(call.addon));
  const auto name = part(call, 5);
  if (part(call, 4) == "credentials_rotation" && call.method == "POST") {
    for (const auto& credential : databases_.credentials(found))
      TRY(databases_.rotate(found, credential.name));
    return json::value{{"message", "Rotated."}};
  }
  if (part(call, 4) != "credentials") return std::unexpected(not_here(part(call, 4)));
  if (name.empty() && call.method == "GET") {
    json::array all;
    for (const auto& credential : databases_.credentials(found))
      all.push_back(credential_json(found, credential, true));
    return all;
  }
  if (name.empty() && call.method == "POST")
    return credential_json(
        found, TRY(databases_.create_credential(found, text_of(call.body, "name"))), true);
  if (call.path.size() == 6 && call.method == "GET")
    return credential_json(found, TRY(databases_.credential(found, name)), true);
  if (call.path.size() == 6 && call.method == "DELETE") {
    TRY(databases_.destroy_credential(found, name));
    return json::value{{"message", "Destroyed."}};
  }
  if (part(call, 6) == "credentials_rotation" && call.method == "POST") {
    TRY(databases_.rotate(found, name));
    return json::value{{"message", "Rotated."}};
  }
  return std::unexpected(no_such_call());
}

// /client/v11/apps/:app/transfers…
Result<json::value> DataApi::transfers(const DataCall& call) {
  const auto app = call.app;
  const auto which = part(call, 5);
  if (which.empty() && call.method == "GET") {
    json::array all;
    for (const auto& transfer : backups_.all(app)) all.push_back(transfer_json(transfer));
    return all;
  }
  const auto transfer = TRY(backups_.find(app, which));
  if (call.path.size() == 6 && call.method == "GET") return transfer_json(transfer);
  if (call.path.size() == 6 && call.method == "DELETE")
    return transfer_json(TRY(backups_.remove(app, which)));
  if (part(call, 6) == "actions" && part(call, 7) == "cancel" && call.method == "POST") {
    TRY(backups_.cancel(app, which));
    return transfer_json(TRY(backups_.find(app, which)));
  }
  if (part(call, 6) == "actions" && part(call, 7) == "public-url" && call.method == "POST")
    return public_url(call, transfer);
  return std::unexpected(no_such_call());
}

}  // namespace renga::postgresql
