#include "cli/commands/addons_words.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/text.h"
#include "cli/answers.h"
#include "os/file.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

constexpr std::chrono::hours longest_wait{1};

}  // namespace

Result<json::value> resolve_addon(Context& context, const std::string& word) {
  auto& platform = *TRY(context.platform());
  const auto ask = [&](const json::value& app) {
    return platform.post("/actions/addons/resolve", json::object{{"addon", word}, {"app", app}});
  };
  // Without an app the name must be an add-on's own.
  const auto app = context.app();
  auto found = app ? ask(json::value(*app)) : ask(nullptr);
  if (!found && app && found.error().kind == Kind::not_found) found = ask(nullptr);
  const auto list = TRY(std::move(found));
  if (!list.is_array() || list.as_array().empty())
    return fail(Kind::not_found, fmt::format("Couldn't find the add-on {}.", word));
  if (list.as_array().size() == 1) return list.as_array().front();
  std::vector<std::string> names;
  for (const auto& addon : list.as_array()) names.push_back(text_at(addon, "name"));
  return fail(Kind::conflict,
              fmt::format("{} may be {}. Give its name.", word, text::join(names, ", ")));
}

std::string price_of(const json::value& price) {
  if (flag_at(price, "contract")) return "contract";
  const auto cents = number_at(price, "cents");
  if (cents == 0) return "free";
  return fmt::format("${}.{:02}/{}", cents / 100, cents % 100, text_at(price, "unit"));
}

Result<json::value> wait_for_addon(Context& context, const json::value& addon) {
  auto& platform = *TRY(context.platform());
  const auto until = std::chrono::steady_clock::now() + longest_wait;
  auto now = addon;
  while (text_at(now, "state") == "provisioning" || text_at(now, "state") == "deprovisioning") {
    if (std::chrono::steady_clock::now() > until)
      return fail(Kind::unavailable, fmt::format("{} is {} for an hour already.",
                                                 text_at(addon, "name"), text_at(now, "state")));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    now = TRY(platform.get("/addons/" + text_at(addon, "id")));
  }
  return now;
}

Result<json::value> read_manifest(const Context& context, const std::string& path) {
  const auto text = os::read_file(context.surroundings.directory / path, 1 << 20);
  if (!text) return fail(Kind::not_found, fmt::format("{} cannot be read.", path));
  boost::system::error_code error;
  auto value = json::parse(*text, error);
  if (error || !value.is_object())
    return fail(Kind::invalid, fmt::format("{} is not a JSON object ({}).", path, error.message()));
  return value;
}

Result<json::value> confirmed(Context& context, const std::string& app,
                              const std::function<Result<json::value>(const std::string&)>& call) {
  auto answer = call(context.flag("confirm"));
  if (answer || answer.error().kind != Kind::conflict || context.has("confirm")) return answer;
  const auto said = context.terminal.ask(
      fmt::format(" !    {}\n !    Type {} to go on: ", answer.error().message, app), false);
  if (said != app)
    return fail(Kind::invalid, fmt::format("\"{}\" is not {}. Nothing was done.", said, app));
  return call(app);
}

}  // namespace renga::cli
