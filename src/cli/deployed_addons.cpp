#include "cli/deployed_addons.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/answers.h"

namespace renga::cli {
namespace json = boost::json;
namespace {

constexpr std::chrono::minutes limit{5};  // until all of them are there

struct Wish {
  std::string plan;
  std::string as;
  json::object order;  // the body that asks for it
};

Result<std::vector<Wish>> wishes_in(std::string_view app_json) {
  boost::system::error_code wrong;
  const auto file = json::parse(app_json, wrong);
  if (wrong || !file.is_object())
    return fail(Kind::invalid,
                "app.json is not valid JSON, so its add-ons cannot be made. Mend it first.");
  std::vector<Wish> wishes;
  const auto* addons = file.get_object().if_contains("addons");
  if (addons == nullptr) return wishes;
  if (!addons->is_array()) return fail(Kind::invalid, "`addons` of app.json must be a list.");
  for (const auto& one : addons->get_array()) {
    Wish wish;
    if (one.is_string()) {
      wish.plan = std::string(one.get_string());
    } else if (one.is_object()) {
      wish.plan = text_at(one, "plan");
      wish.as = text_at(one, "as");
      if (const auto* options = one.get_object().if_contains("options"))
        wish.order["config"] = *options;
    }
    if (wish.plan.empty())
      return fail(Kind::invalid,
                  "Each of `addons` of app.json must be a plan, or an object with a `plan`.");
    wish.order["plan"] = wish.plan;
    if (!wish.as.empty()) wish.order["attachment"] = json::object{{"name", wish.as}};
    wishes.push_back(std::move(wish));
  }
  // Those with a name of their own are told apart by it, the rest by what is left.
  std::ranges::stable_partition(wishes, [](const Wish& wish) { return !wish.as.empty(); });
  return wishes;
}

// Which of them the app does not have.
Result<std::vector<Wish>> missing(client::Platform& platform, const std::string& app,
                                  std::vector<Wish> wishes) {
  const auto addons = TRY(platform.get("/apps/" + app + "/addons"));
  const auto attachments = TRY(platform.get("/apps/" + app + "/addon-attachments"));
  std::set<std::string> taken;
  const auto is_there = [&](const Wish& wish) {
    const auto service = text::split_once(wish.plan, ':').first;
    for (const auto& addon : addons.as_array()) {
      const auto id = text_at(addon, "id");
      if (text::split_once(text_at(addon.at("plan"), "name"), ':').first != service) continue;
      const auto attached = [&](const json::value& one) {
        return text_at(one.at("addon"), "id") == id &&
               text::equals_ignoring_case(text_at(one, "name"), wish.as);
      };
      if (!wish.as.empty() && std::ranges::none_of(attachments.as_array(), attached)) continue;
      if (taken.insert(id).second) return true;
    }
    return false;
  };
  std::erase_if(wishes, is_there);
  return wishes;
}

// True once every add-on of the app is provisioned.
Result<bool> all_there(client::Platform& platform, const std::string& app) {
  const auto addons = TRY(platform.get("/apps/" + app + "/addons"));
  bool all = true;
  for (const auto& addon : addons.as_array()) {
    const auto state = text_at(addon, "state");
    if (state == "deprovisioned")
      return fail(Kind::invalid,
                  fmt::format("{} could not be made. `renga addons:destroy {}` takes "
                              "it away, so that it can be tried again.",
                              text_at(addon, "name"), text_at(addon, "name")));
    all = all && state == "provisioned";
  }
  return all;
}

}  // namespace

Result<void> make_addons(client::Platform& platform, Terminal& terminal, const std::string& app,
                         std::string_view app_json, const std::function<bool()>& pause) {
  const auto end = std::chrono::steady_clock::now() + limit;
  const auto again = [&]() -> Result<void> {
    if (!pause()) return fail(Kind::unavailable, "Interrupted.");
    if (std::chrono::steady_clock::now() > end)
      return fail(Kind::unavailable, "The add-ons of app.json are not there after 5 minutes.");
    return {};
  };
  const auto wishes = TRY(wishes_in(app_json));
  std::string said;
  for (auto left = TRY(missing(platform, app, wishes)); !left.empty();
       left = TRY(missing(platform, app, wishes))) {
    const auto& next = left.front();
    if (std::exchange(said, next.plan) != next.plan)
      terminal.say(fmt::format("Creating {}...", next.plan));
    const auto made = platform.post("/apps/" + app + "/addons", next.order);
    if (made) continue;
    // Its provider, started with the server, may not be listening yet.
    if (made.error().kind != Kind::unavailable) return std::unexpected(made.error());
    TRY(again());
  }
  while (!TRY(all_there(platform, app))) TRY(again());
  return {};
}

}  // namespace renga::cli
