// pg:backups*. A transfer is known by its name: b001 is a backup, a001 one of a schedule, r001 a
// restore; the numbers are the app's own.
#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/data_commands.h"
#include "cli/data_stores.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

constexpr Flag confirm_flag{"confirm", 'c', "NAME", "the app's name, instead of being asked"};

std::string name_of(const json::value& transfer) {
  const bool backup = text_at(transfer, "from_type") == "pg_dump";
  const bool scheduled = !text_at(transfer, "schedule.uuid").empty();
  return fmt::format("{}{:03}", !backup ? 'r' : scheduled ? 'a' : 'b', number_at(transfer, "num"));
}

bool ended(const json::value& transfer) { return !text_at(transfer, "finished_at").empty(); }

std::string status_of(const json::value& transfer) {
  if (!text_at(transfer, "canceled_at").empty()) return "Cancelled";
  if (!ended(transfer)) return text_at(transfer, "started_at").empty() ? "Pending" : "Running";
  if (!flag_at(transfer, "succeeded")) return "Failed " + text_at(transfer, "finished_at");
  return "Completed " + text_at(transfer, "finished_at");
}

std::string size_of(std::int64_t bytes) {
  if (bytes < 1 << 20) return fmt::format("{:.2f}KB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.2f}MB", static_cast<double>(bytes) / 1024 / 1024);
}

// "b001" and "1" are the same.
Result<std::string> number_in(const std::string& word) {
  const bool lettered = !word.empty() && word.find_first_of("abr") == 0;
  const auto number = text::number(lettered ? std::string_view(word).substr(1) : word);
  if (!number || *number < 1)
    return fail(Kind::invalid,
                fmt::format("\"{}\" is no backup's name; `renga pg:backups` lists them.", word));
  return std::to_string(*number);
}

Result<std::string> transfers(Context& context) {
  return "/client/v11/apps/" + TRY(context.app()) + "/transfers";
}

Result<std::string> newest(Context& context) {
  const auto all = TRY(TRY(context.platform())->get(TRY(transfers(context))));
  std::int64_t number = 0;
  for (const auto& one : all.as_array())
    if (text_at(one, "from_type") == "pg_dump" && flag_at(one, "succeeded"))
      number = std::max(number, number_at(one, "num"));
  if (number == 0)
    return fail(Kind::not_found, fmt::format("{} has no backups. `renga pg:backups:capture` makes "
                                             "one.",
                                             TRY(context.app())));
  return std::to_string(number);
}

Result<std::string> chosen(Context& context) {
  return context.arguments.empty() ? newest(context) : number_in(context.arguments.front());
}

// Until it has ended; its log as it comes.
Result<int> follow(Context& context, const std::string& number) {
  const auto path = TRY(transfers(context)) + "/" + number;
  std::size_t shown = 0;
  while (true) {
    const auto transfer = TRY(TRY(context.platform())->get(path));
    const auto& lines = transfer.at("logs").as_array();
    for (; shown < lines.size(); ++shown) context.terminal.say(text_at(lines[shown], "message"));
    if (ended(transfer)) return flag_at(transfer, "succeeded") ? 0 : 1;
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
  }
}

Result<int> list(Context& context) {
  const auto all = TRY(TRY(context.platform())->get(TRY(transfers(context))));
  std::vector<std::vector<std::string>> backups{
      {"ID", "Created at", "Status", "Size", "Last verified", "Database"}};
  std::vector<std::vector<std::string>> restores{
      {"ID", "Started at", "Status", "Size", "Database"}};
  for (const auto& one : all.as_array()) {
    const auto size = size_of(number_at(one, "processed_bytes"));
    const auto verified = text_at(one, "verified_at");
    if (text_at(one, "from_type") == "pg_dump")
      backups.push_back({name_of(one), text_at(one, "created_at"), status_of(one), size,
                         verified.empty() ? "never" : verified, text_at(one, "from_name")});
    else
      restores.push_back({name_of(one), text_at(one, "created_at"), status_of(one), size,
                          text_at(one, "to_name")});
  }
  context.terminal.line("=== Backups");
  context.terminal.out(backups.size() > 1
                           ? columns(backups)
                           : "No backups. Capture one with renga pg:backups:capture\n");
  context.terminal.line("\n=== Restores");
  context.terminal.out(restores.size() > 1 ? columns(restores) : "No restores found.\n");
  return 0;
}

Result<int> capture(Context& context) {
  const auto store =
      TRY(find_data_store(context, DataService::postgresql,
                          context.arguments.empty() ? "" : context.arguments.front()));
  const auto made =
      TRY(TRY(context.platform())
              ->post("/client/v11/databases/" + store.addon + "/backups", json::object{}));
  context.terminal.say(fmt::format("Backing up {} to {}... (Ctrl-C leaves it going on)",
                                   store.attachment, name_of(made)));
  return follow(context, text_at(made, "num"));
}

Result<int> info(Context& context) {
  const auto one =
      TRY(TRY(context.platform())->get(TRY(transfers(context)) + "/" + TRY(chosen(context))));
  context.terminal.line("=== " + name_of(one));
  context.terminal.out(columns({{"Database:", text_at(one, "from_name")},
                                {"Started at:", text_at(one, "started_at")},
                                {"Finished at:", text_at(one, "finished_at")},
                                {"Status:", status_of(one)},
                                {"Original DB Size:", size_of(number_at(one, "source_bytes"))},
                                {"Backup Size:", size_of(number_at(one, "processed_bytes"))},
                                {"Last verified:", text_at(one, "verified_at")}}));
  context.terminal.line("\n=== Backup Logs");
  for (const auto& line : one.at("logs").as_array())
    context.terminal.line(text_at(line, "created_at") + " " + text_at(line, "message"));
  return 0;
}

Result<int> restore(Context& context) {
  // BACKUP DATABASE, both of which may be left out.
  const auto number = TRY(chosen(context));
  const auto store = TRY(find_data_store(context, DataService::postgresql,
                                         context.arguments.size() > 1 ? context.arguments[1] : ""));
  TRY(confirm_app(context, fmt::format("All data of {} ({}) will be replaced.", store.attachment,
                                       store.addon_name)));
  auto* platform = TRY(context.platform());
  const auto backup = TRY(platform->get(TRY(transfers(context)) + "/" + number));
  const auto made = TRY(platform->post("/client/v11/databases/" + store.addon + "/restores",
                                       json::object{{"backup_url", text_at(backup, "to_url")}}));
  context.terminal.say(
      fmt::format("Restoring {} to {}... ({})", name_of(backup), store.attachment, name_of(made)));
  return follow(context, text_at(made, "num"));
}

Result<std::string> link(Context& context) {
  const auto made =
      TRY(TRY(context.platform())
              ->post(TRY(transfers(context)) + "/" + TRY(chosen(context)) + "/actions/public-url",
                     json::object{}));
  return text_at(made, "url");
}

Result<int> show_url(Context& context) {
  context.terminal.line(TRY(link(context)));
  return 0;
}

Result<int> download(Context& context) {
  // By the way that this program reaches the server; the link's own may want another certificate.
  const auto whole = TRY(link(context));
  const auto path = whole.find("/data/downloads/");
  if (path == std::string::npos) return fail(Kind::unavailable, "The server gave no link.");
  const auto url = TRY(context.platform())->settings().url + whole.substr(path);
  const auto name = context.flag("output", "latest.dump");
  std::ofstream file(name, std::ios::binary | std::ios::trunc);
  std::int64_t bytes = 0;
  TRY(TRY(context.platform())->stream(url, {}, [&](std::string_view piece) {
    bytes += static_cast<std::int64_t>(piece.size());
    return static_cast<bool>(file.write(piece.data(), static_cast<std::streamsize>(piece.size())));
  }));
  file.close();
  if (!file) return fail(Kind::unavailable, fmt::format("{} cannot be written.", name));
  context.terminal.say(fmt::format("Getting backup... done, {} in {}", size_of(bytes), name));
  return 0;
}

Result<int> cancel(Context& context) {
  if (context.arguments.empty()) return fail(Kind::invalid, "Cancel which? Give its name (b001).");
  TRY(TRY(context.platform())
          ->post(TRY(transfers(context)) + "/" + TRY(chosen(context)) + "/actions/cancel",
                 json::object{}));
  context.terminal.say(fmt::format("Cancelling {}... done", context.arguments.front()));
  return 0;
}

Result<int> remove(Context& context) {
  if (context.arguments.empty()) return fail(Kind::invalid, "Delete which? Give its name (b001).");
  TRY(confirm_app(context, fmt::format("Backup {} will be gone.", context.arguments.front())));
  TRY(TRY(context.platform())->remove(TRY(transfers(context)) + "/" + TRY(chosen(context))));
  context.terminal.say(fmt::format("Deleting backup {}... done", context.arguments.front()));
  return 0;
}

std::string schedules_path(const DataStore& store) {
  return "/client/v11/databases/" + store.addon + "/transfer-schedules";
}

Result<int> schedule(Context& context) {
  const auto store =
      TRY(find_data_store(context, DataService::postgresql,
                          context.arguments.empty() ? "" : context.arguments.front()));
  const auto at = context.flag("at");
  const auto [time, zone] = text::split_once(at, ' ');
  const auto [hour, minutes] = text::split_once(time, ':');
  if (!text::number(hour) || (minutes != "00" && !minutes.empty()))
    return fail(Kind::invalid, "--at takes an hour and a time zone, such as '02:00 Europe/Paris'.");
  const auto made = TRY(
      TRY(context.platform())
          ->post(schedules_path(store),
                 json::object{{"hour", *text::number(hour)},
                              {"timezone", zone.empty() ? std::string("UTC") : std::string(zone)},
                              {"schedule_name", store.attachment + "_URL"}}));
  context.terminal.say(fmt::format("Scheduling automatic daily backups of {} at {}:00 {}... done",
                                   store.attachment, text_at(made, "hour"),
                                   text_at(made, "timezone")));
  return 0;
}

Result<int> list_schedules(Context& context) {
  const auto store = TRY(find_data_store(context, DataService::postgresql, ""));
  const auto all = TRY(TRY(context.platform())->get(schedules_path(store)));
  context.terminal.line("=== Backup Schedules");
  if (all.as_array().empty()) context.terminal.line("No backup schedules found.");
  for (const auto& one : all.as_array())
    context.terminal.line(fmt::format("{}: daily at {}:00 {}, next {}", text_at(one, "name"),
                                      text_at(one, "hour"), text_at(one, "timezone"),
                                      text_at(one, "next_at")));
  return 0;
}

Result<int> unschedule(Context& context) {
  const auto store =
      TRY(find_data_store(context, DataService::postgresql,
                          context.arguments.empty() ? "" : context.arguments.front()));
  TRY(TRY(context.platform())->remove(schedules_path(store) + "/" + store.attachment + "_URL"));
  context.terminal.say(fmt::format("Unscheduling {} daily backups... done", store.attachment));
  return 0;
}

Command command(std::string_view name, std::string_view usage, std::string_view summary,
                std::vector<Flag> flags, Result<int> (*run)(Context&)) {
  flags.insert(flags.begin(), app_flag);
  return {.name = name,
          .usage = usage,
          .summary = summary,
          .help = R"()",
          .flags = std::move(flags),
          .run = run};
}

}  // namespace

Command pg_backups() {
  return command("pg:backups", "", "list backups, and when each was last restored as a trial", {},
                 list);
}
Command pg_backups_capture() {
  return command("pg:backups:capture", "[DATABASE]", "back a database up", {}, capture);
}
Command pg_backups_info() {
  return command("pg:backups:info", "[BACKUP]", "show a backup and its log", {}, info);
}
Command pg_backups_restore() {
  return command("pg:backups:restore", "[BACKUP] [DATABASE]", "replace a database by a backup",
                 {confirm_flag}, restore);
}
Command pg_backups_url() {
  return command("pg:backups:url", "[BACKUP]", "print a link to a backup, good for an hour", {},
                 show_url);
}
Command pg_backups_download() {
  return command("pg:backups:download", "[BACKUP]", "download a backup",
                 {{"output", 'o', "FILE", "where to; else latest.dump"}}, download);
}
Command pg_backups_cancel() {
  return command("pg:backups:cancel", "BACKUP", "cancel a backup or restore that runs", {}, cancel);
}
Command pg_backups_delete() {
  return command("pg:backups:delete", "BACKUP", "delete a backup", {confirm_flag}, remove);
}
Command pg_backups_schedule() {
  return command("pg:backups:schedule", "[DATABASE]", "back a database up every day",
                 {{"at", 't', "TIME", "'02:00 Europe/Paris'"}}, schedule);
}
Command pg_backups_schedules() {
  return command("pg:backups:schedules", "", "list the daily backups", {}, list_schedules);
}
Command pg_backups_unschedule() {
  return command("pg:backups:unschedule", "[DATABASE]", "stop the daily backups of a database", {},
                 unschedule);
}

}  // namespace renga::cli
