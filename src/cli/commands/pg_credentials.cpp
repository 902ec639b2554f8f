// pg:credentials*.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/data_commands.h"
#include "cli/data_stores.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

constexpr Flag name_flag{"name", 'n', "NAME", "the credential; else default"};
constexpr Flag confirm_flag{"confirm", 'c', "NAME", "the app's name, instead of being asked"};

Result<std::string> path(Context& context) {
  const auto store =
      TRY(find_data_store(context, DataService::postgresql,
                          context.arguments.empty() ? "" : context.arguments.front()));
  return "/postgres/v0/databases/" + store.addon + "/credentials";
}

Result<int> list(Context& context) {
  const auto all = TRY(TRY(context.platform())->get(TRY(path(context))));
  std::vector<std::vector<std::string>> rows{{"Credential", "User", "State"}};
  for (const auto& one : all.as_array())
    rows.push_back({text_at(one, "name"), text_at(one.at("credentials").as_array().at(0), "user"),
                    text_at(one, "state")});
  context.terminal.out(columns(rows));
  return 0;
}

Result<int> show_url(Context& context) {
  const auto one =
      TRY(TRY(context.platform())
              ->get(TRY(path(context)) + "/" + text::url_encode(context.flag("name", "default"))));
  const auto& known = one.at("credentials").as_array().at(0);
  context.terminal.line(fmt::format("postgres://{}:{}@{}:{}/{}", text_at(known, "user"),
                                    text_at(known, "password"), text_at(one, "host"),
                                    text_at(one, "port"), text_at(one, "database")));
  return 0;
}

Result<int> create(Context& context) {
  const auto name = context.flag("name");
  if (name.empty()) return fail(Kind::invalid, "pg:credentials:create takes --name NAME.");
  TRY(TRY(context.platform())->post(TRY(path(context)), json::object{{"name", name}}));
  context.terminal.say(fmt::format(
      "Creating credential {}... done\nAttach it with `renga addons:attach --credential {}`.", name,
      name));
  return 0;
}

Result<int> destroy(Context& context) {
  const auto name = context.flag("name");
  if (name.empty()) return fail(Kind::invalid, "pg:credentials:destroy takes --name NAME.");
  TRY(confirm_app(context, fmt::format("Credential {} will be gone.", name)));
  TRY(TRY(context.platform())->remove(TRY(path(context)) + "/" + text::url_encode(name)));
  context.terminal.say(fmt::format("Destroying credential {}... done", name));
  return 0;
}

Result<int> rotate(Context& context) {
  const auto name = context.flag("name", "default");
  TRY(confirm_app(context,
                  fmt::format("Sessions with the password of {} will end, and the app gets "
                              "a release.",
                              name)));
  TRY(TRY(context.platform())
          ->post(TRY(path(context)) + "/" + text::url_encode(name) + "/credentials_rotation",
                 json::object{}));
  context.terminal.say(fmt::format("Rotating {}... done", name));
  return 0;
}

}  // namespace

Command pg_credentials() {
  return {.name = "pg:credentials",
          .usage = "[DATABASE]",
          .summary = "list a database's credentials",
          .help = R"()",
          .flags = {app_flag},
          .run = list};
}

Command pg_credentials_url() {
  return {.name = "pg:credentials:url",
          .usage = "[DATABASE]",
          .summary = "show a credential's URL",
          .help = R"()",
          .flags = {app_flag, name_flag},
          .run = show_url};
}

Command pg_credentials_create() {
  return {.name = "pg:credentials:create",
          .usage = "[DATABASE]",
          .summary = "add a credential",
          .help = R"(It may connect and nothing else until the owner grants it something.)",
          .flags = {app_flag, name_flag},
          .run = create};
}

Command pg_credentials_destroy() {
  return {.name = "pg:credentials:destroy",
          .usage = "[DATABASE]",
          .summary = "remove a credential; what it owned becomes the default one's",
          .help = R"()",
          .flags = {app_flag, name_flag, confirm_flag},
          .run = destroy};
}

Command pg_credentials_rotate() {
  return {.name = "pg:credentials:rotate",
          .usage = "[DATABASE]",
          .summary = "give a credential a new password",
          .help = R"(The apps that have it get a release with the new URL.)",
          .flags = {app_flag, name_flag, confirm_flag},
          .run = rotate};
}

}  // namespace renga::cli
