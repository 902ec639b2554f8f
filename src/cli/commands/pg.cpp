// pg:* but credentials and backups.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/data_commands.h"
#include "cli/data_stores.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

constexpr Flag confirm_flag{"confirm", 'c', "NAME", "the app's name, instead of being asked"};

std::string first_argument(const Context& context) {
  return context.arguments.empty() ? "" : context.arguments.front();
}

Result<DataStore> database(Context& context) {
  return find_data_store(context, DataService::postgresql, first_argument(context));
}

Result<int> info(Context& context) {
  const auto store = TRY(database(context));
  const auto answer = TRY(TRY(context.platform())->get("/client/v11/databases/" + store.addon));
  if (context.has("json")) {
    context.terminal.out(pretty(answer));
    return 0;
  }
  context.terminal.line(fmt::format("=== {}_URL", store.attachment));
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : answer.at("info").as_array()) {
    std::vector<std::string> values;
    for (const auto& value : row.at("values").as_array()) values.emplace_back(value.as_string());
    rows.push_back({text_at(row, "name") + ":", text::join(values, ", ")});
  }
  context.terminal.out(columns(rows));
  return 0;
}

// psql on this machine, with the password in its environment alone.
Result<int> psql(Context& context, const std::vector<std::string>& more, const std::string& name) {
  const auto store = TRY(find_data_store(context, DataService::postgresql, name));
  const auto url = TRY(parse_data_url(TRY(url_of(context, store))));
  std::vector<std::string> argv{"psql"};
  argv.insert(argv.end(), more.begin(), more.end());
  return become_program(argv,
                        {{"PGUSER", url.user},
                         {"PGPASSWORD", url.password},
                         {"PGHOST", url.host},
                         {"PGPORT", url.port},
                         {"PGDATABASE", url.path},
                         {"PGSSLMODE", "require"},
                         {"PGAPPNAME", "psql renga"}},
                        "postgresql-client");
}

Result<int> shell(Context& context) {
  std::vector<std::string> more;
  if (context.has("command")) more = {"-c", context.flag("command")};
  if (context.has("file")) more = {"-f", context.flag("file")};
  return psql(context, more, first_argument(context));
}

Result<int> sessions(Context& context) {
  const auto* query =
      "SELECT pid, state, application_name AS source, usename AS username, now() - query_start AS "
      "running_for, wait_event IS NOT NULL AS waiting, query FROM pg_stat_activity WHERE query <> "
      "'<insufficient privilege>' AND state <> 'idle' AND pid <> pg_backend_pid() AND datname = "
      "current_database() ORDER BY query_start DESC";
  return psql(context, {"-c", query}, first_argument(context));
}

Result<int> kill_one(Context& context) {
  const auto pid = text::number(first_argument(context));
  if (!pid || *pid <= 0)
    return fail(Kind::invalid, "pg:kill takes a process's number; `renga pg:ps` shows them.");
  const auto function = context.has("force") ? "pg_terminate_backend" : "pg_cancel_backend";
  return psql(context, {"-c", fmt::format("SELECT {}({})", function, *pid)},
              context.arguments.size() > 1 ? context.arguments[1] : "");
}

Result<int> kill_all(Context& context) {
  const auto store = TRY(database(context));
  TRY(TRY(context.platform())
          ->post("/client/v11/databases/" + store.addon + "/connection_reset", json::object{}));
  context.terminal.say("Terminating connections for all credentials... done");
  return 0;
}

Result<int> reset(Context& context) {
  const auto store = TRY(database(context));
  TRY(confirm_app(context, fmt::format("All data of {} ({}) will be gone.", store.attachment,
                                       store.addon_name)));
  TRY(TRY(context.platform())
          ->put("/client/v11/databases/" + store.addon + "/reset", json::object{}));
  context.terminal.say(fmt::format("Resetting {}... done", store.addon_name));
  return 0;
}

Result<int> wait(Context& context) {
  const auto store = TRY(database(context));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(30);
  while (std::chrono::steady_clock::now() < deadline) {
    const auto status =
        TRY(TRY(context.platform())->get("/client/v11/databases/" + store.addon + "/wait_status"));
    if (!flag_at(status, "waiting?")) return 0;
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  return fail(Kind::unavailable, store.addon_name + " is not available after 30 minutes.");
}

Result<int> promote_database(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid, "Promote which? `renga pg:info` shows what there is.");
  return promote(context, context.arguments.front(), DataService::postgresql);
}

}  // namespace

Result<void> confirm_app(Context& context, const std::string& warning) {
  const auto app = TRY(context.app());
  auto confirmed = context.flag("confirm");
  if (confirmed.empty())
    confirmed = context.terminal.ask(
        fmt::format(" !    {}\n !    Type the app's name, {}, to go on: ", warning, app), false);
  if (confirmed == app) return {};
  return fail(Kind::invalid, fmt::format("\"{}\" is not {}. Nothing was done.", confirmed, app));
}

Result<int> promote(Context& context, const std::string& name, DataService service) {
  const std::string role(role_of(service));
  const auto store = TRY(find_data_store(context, service, name));
  auto* platform = TRY(context.platform());
  const auto attachments = TRY(platform->get(TRY(context.path("/addon-attachments"))));
  std::string now;
  for (const auto& attachment : attachments.as_array())
    if (text_at(attachment, "name") == role) now = text_at(attachment, "addon.id");
  if (now == store.addon)
    return fail(Kind::invalid, fmt::format("{} is promoted already.", store.addon_name));
  int names = 0;
  for (const auto& attachment : attachments.as_array())
    names += text_at(attachment, "addon.id") == now ? 1 : 0;
  const json::object app{{"name", store.app}};
  if (!now.empty() && names == 1) {
    // Or nothing would lead to it any more.
    const auto kept = TRY(platform->post(
        "/addon-attachments",
        json::object{{"addon", json::object{{"id", now}}}, {"app", app}, {"confirm", store.app}}));
    context.terminal.say(fmt::format("Ensuring an alternate alias for existing {}_URL... {}_URL",
                                     role, text_at(kept, "name")));
  }
  TRY(platform->post("/addon-attachments",
                     json::object{{"addon", json::object{{"id", store.addon}}},
                                  {"app", app},
                                  {"name", role},
                                  {"namespace", nullptr},
                                  {"confirm", store.app}}));
  context.terminal.say(
      fmt::format("Promoting {} to {}_URL on {}... done", store.addon_name, role, store.app));
  return 0;
}

Command pg_info() {
  return {.name = "pg:info",
          .usage = "[DATABASE]",
          .summary = "show a PostgreSQL database",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = info};
}

Command pg_psql() {
  return {.name = "pg:psql",
          .usage = "[DATABASE]",
          .summary = "open psql on a database",
          .help = R"(Runs psql on this machine, which has to reach the database's address.

Examples:
  $ renga pg:psql -a shop -c "SELECT count(*) FROM orders")",
          .flags = {app_flag,
                    {"command", 'c', "SQL", "run this and end"},
                    {"file", 'f', "FILE", "run the SQL in this file and end"}},
          .run = shell};
}

Command pg_ps() {
  return {.name = "pg:ps",
          .usage = "[DATABASE]",
          .summary = "show the queries that run",
          .help = R"()",
          .flags = {app_flag},
          .run = sessions};
}

Command pg_kill() {
  return {.name = "pg:kill",
          .usage = "PID [DATABASE]",
          .summary = "cancel a query",
          .help = R"()",
          .flags = {app_flag, {"force", 'f', "", "end its session too"}},
          .run = kill_one};
}

Command pg_killall() {
  return {.name = "pg:killall",
          .usage = "[DATABASE]",
          .summary = "end all sessions of a database",
          .help = R"()",
          .flags = {app_flag},
          .run = kill_all};
}

Command pg_promote() {
  return {.name = "pg:promote",
          .usage = "DATABASE",
          .summary = "make a database the app's DATABASE_URL",
          .help = R"(The one that was DATABASE_URL keeps another name.)",
          .flags = {app_flag},
          .run = promote_database};
}

Command pg_reset() {
  return {.name = "pg:reset",
          .usage = "[DATABASE]",
          .summary = "delete all data in a database",
          .help = R"()",
          .flags = {app_flag, confirm_flag},
          .run = reset};
}

Command pg_wait() {
  return {.name = "pg:wait",
          .usage = "[DATABASE]",
          .summary = "wait until a database is available",
          .help = R"()",
          .flags = {app_flag},
          .run = wait};
}

}  // namespace renga::cli
