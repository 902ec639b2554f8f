#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// "web=2:Standard-2X", "web+1" or "web=2" as the API has it.
Result<json::object> change(const std::string& argument) {
  const auto sign = argument.find_first_of("=+-");
  if (sign == std::string::npos || sign == 0 || sign + 1 == argument.size())
    return fail(Kind::invalid,
                fmt::format("{} is not TYPE=QUANTITY, such as web=2 or worker+1.", argument));
  const auto [quantity, size] = text::split_once(std::string_view(argument).substr(sign + 1), ':');
  json::object update{{"type", argument.substr(0, sign)},
                      {"quantity", (argument[sign] == '=' ? "" : argument.substr(sign, 1)) +
                                       std::string(quantity)}};
  if (!size.empty()) update["size"] = size;
  return update;
}

std::string processes(const json::value& formation, std::string_view format,
                      std::string_view separator) {
  std::vector<std::string> all;
  for (const auto& process : formation.as_array())
    all.push_back(fmt::format(fmt::runtime(format), fmt::arg("type", text_at(process, "type")),
                              fmt::arg("quantity", text_at(process, "quantity")),
                              fmt::arg("size", text_at(process, "size"))));
  return text::join(all, separator);
}

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/formation"));
  if (context.arguments.empty()) {
    const auto formation = TRY(platform->get(path));
    context.terminal.line(processes(formation, "{type}={quantity}:{size}", " "));
    return 0;
  }

  json::array updates;
  for (const auto& argument : context.arguments) updates.push_back(TRY(change(argument)));
  const auto changed = TRY(platform->patch(path, json::object{{"updates", updates}}));
  context.terminal.say(fmt::format("Scaling dynos... done, now running {}",
                                   processes(changed, "{type} at {quantity}:{size}", ", ")));
  return 0;
}

}  // namespace

Command ps_scale() {
  return {.name = "ps:scale",
          .usage = "[TYPE=QUANTITY[:SIZE] ...]",
          .summary = "show or change how many dynos run",
          .help = R"(Quantities may be relative.

Examples:
  $ renga ps:scale web=2
  $ renga ps:scale web+1 worker=1:Standard-2X)",
          .flags = {app_flag},
          .run = run};
}

}  // namespace renga::cli
