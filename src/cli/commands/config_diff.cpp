// What differs between the config of two apps, of two releases, or of a release and now.
#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "cli/config_text.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// "v12" and "12" are releases: an app's name starts with a letter, and has three characters.
bool is_release(const std::string& word) {
  const std::string_view digits = word.starts_with('v') ? std::string_view(word).substr(1) : word;
  return !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
}

struct Side {
  std::string title;
  Vars vars;
};

Result<Side> side(Context& context, const std::string& word) {
  auto* platform = TRY(context.platform());
  if (word.empty()) {
    const auto path = TRY(context.path("/config-vars"));
    return Side{TRY(context.app()), vars_in(TRY(platform->get(path)))};
  }
  if (is_release(word)) {
    const auto number = word.starts_with('v') ? word.substr(1) : word;
    const auto path = TRY(context.path("/releases/" + number + "/config-vars"));
    return Side{TRY(context.app()) + " v" + number, vars_in(TRY(platform->get(path)))};
  }
  return Side{word,
              vars_in(TRY(platform->get("/apps/" + text::url_encode(word) + "/config-vars")))};
}

Result<int> run(Context& context) {
  if (context.arguments.empty())
    return fail(Kind::invalid,
                "Compare with what? `renga config:diff OTHER-APP -a APP`, or "
                "`renga config:diff v12 v14 -a APP`.");
  const auto& first = context.arguments[0];
  const bool two = context.arguments.size() == 2;
  // An app is compared with the other one; a release with what came after it.
  auto left = TRY(side(context, two || is_release(first) ? first : ""));
  auto right = TRY(side(context, two ? context.arguments[1] : is_release(first) ? "" : first));

  std::set<std::string> names;
  for (const auto& [name, value] : left.vars) names.insert(name);
  for (const auto& [name, value] : right.vars) names.insert(name);
  const bool whole = context.has("reveal") || !context.terminal.interactive();
  const auto shown = [&](const std::string& name, const std::string& value) {
    return whole ? value : masked(name, value);
  };
  json::object differences;
  std::string lines;
  for (const auto& name : names) {
    const auto a = left.vars.find(name);
    const auto b = right.vars.find(name);
    const bool in_left = a != left.vars.end();
    const bool in_right = b != right.vars.end();
    if (in_left && in_right && a->second == b->second) continue;
    differences[name] =
        json::object{{"left", in_left ? json::value(a->second) : json::value(nullptr)},
                     {"right", in_right ? json::value(b->second) : json::value(nullptr)}};
    if (in_left) lines += fmt::format("- {}={}\n", name, text::shell_quote(shown(name, a->second)));
    if (in_right)
      lines += fmt::format("+ {}={}\n", name, text::shell_quote(shown(name, b->second)));
  }
  if (context.has("json")) {
    context.terminal.out(pretty(
        json::object{{"left", left.title}, {"right", right.title}, {"differences", differences}}));
  } else if (lines.empty()) {
    context.terminal.say(fmt::format("{} and {} have the same config.", left.title, right.title));
  } else {
    context.terminal.out(fmt::format("--- {}\n+++ {}\n{}", left.title, right.title, lines));
  }
  return differences.empty() ? 0 : 1;
}

}  // namespace

Command config_diff() {
  return {.name = "config:diff",
          .usage = "APP|RELEASE [APP|RELEASE]",
          .summary = "compare the config of two apps or two releases",
          .help = R"(Exit status 1 when they differ, as diff's. Secrets are hidden at a terminal.

Examples:
  $ renga config:diff sushi-production -a sushi-staging
  $ renga config:diff v12 v14
  $ renga config:diff v12          v12 with what is set now)",
          .flags = {app_flag, json_flag, {"reveal", 'r', "", "show secrets at a terminal too"}},
          .run = run};
}

}  // namespace renga::cli
