#include "cli/commands/feature_switches.h"

#include <fmt/format.h>

#include "cli/answers.h"

namespace renga::cli {
namespace json = boost::json;

void show_features(Terminal& terminal, const json::value& features, bool general) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& feature : features.as_array())
    if ((text_at(feature, "state") == "general") == general)
      rows.push_back({flag_at(feature, "enabled") ? "[+]" : "[ ]", text_at(feature, "name"),
                      text_at(feature, "description")});
  terminal.out(columns(rows));
}

Result<int> show_feature(Context& context, const std::string& path) {
  const auto feature = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(feature));
    return 0;
  }
  context.terminal.line("=== " + text_at(feature, "name"));
  context.terminal.out(columns({{"Description:", text_at(feature, "description")},
                                {"Enabled:", flag_at(feature, "enabled") ? "true" : "false"},
                                {"State:", text_at(feature, "state")},
                                {"Docs:", text_at(feature, "doc_url")}}));
  return 0;
}

Result<int> switch_feature(Context& context, const std::string& path, bool on,
                           const std::string& whose) {
  const auto feature = TRY(TRY(context.platform())->patch(path, json::object{{"enabled", on}}));
  context.terminal.say(fmt::format("{} {} for {}... done", on ? "Enabling" : "Disabling",
                                   text_at(feature, "name"), whose));
  return 0;
}

}  // namespace renga::cli
