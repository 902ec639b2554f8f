#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// "web=2:Standard-2X", "web+1" or "my-worker-1" as the API has it. A process type may have a '-' in
// its name, so the quantity is found from its end.
Result<json::object> change(const std::string& argument) {
  const auto wrong = [&] {
    return fail(Kind::invalid,
                fmt::format("{} is not TYPE=QUANTITY[:SIZE], such as web=2, worker+1 or "
                            "web=1:Standard-2X. Nothing was scaled.",
                            argument));
  };
  const auto [amount, size] = text::split_once(argument, ':');
  const bool sized = amount.size() != argument.size();
  const auto sign = amount.find_last_not_of("0123456789");
  if (sign == std::string_view::npos || sign == 0 || sign + 1 == amount.size() ||
      std::string_view("=+-").find(amount[sign]) == std::string_view::npos || sized == size.empty())
    return wrong();
  const auto type = amount.substr(0, sign);
  if (type.find_first_of("=+") != std::string_view::npos) return wrong();
  json::object update{{"type", type},
                      {"quantity", amount.substr(amount[sign] == '=' ? sign + 1 : sign)}};
  if (sized) update["size"] = size;
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
  json::array updates;
  for (const auto& argument : context.arguments) updates.push_back(TRY(change(argument)));
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/formation"));
  if (updates.empty()) {
    const auto formation = TRY(platform->get(path));
    if (formation.as_array().empty())
      context.terminal.say(fmt::format(
          "{} has no process types yet; a push with a Procfile brings them.", TRY(context.app())));
    else
      context.terminal.line(processes(formation, "{type}={quantity}:{size}", " "));
    return 0;
  }

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
