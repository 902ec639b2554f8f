// A promotion is asked for, and its targets are looked at until each has ended. The output of the
// release command is shown when there is one target.
#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/commands/commands.h"
#include "cli/commands/pipeline_apps.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

// The release phase of the server ends before that.
constexpr auto longest = std::chrono::minutes(65);

Result<std::vector<json::value>> choose_targets(Context& context, const json::value& coupling,
                                                const json::value& couplings) {
  const auto source = text_at(coupling, "app.name");
  std::vector<json::value> targets;
  if (context.has("to")) {
    const auto names = context.flag("to");
    for (const auto name : text::split(names, ',')) {
      if (text::trim(name).empty()) continue;
      const auto found = std::ranges::find_if(couplings.as_array(), [&](const auto& one) {
        return text_at(one, "app.name") == text::trim(name) ||
               text_at(one, "app.id") == text::trim(name);
      });
      if (found == couplings.as_array().end())
        return fail(Kind::not_found,
                    fmt::format("{} is not in the pipeline {}.", text::printable(name),
                                text_at(coupling, "pipeline.name")));
      targets.push_back(*found);
    }
    return targets;
  }
  const auto stage = text_at(coupling, "stage");
  const auto here = std::ranges::find(promotion_order, stage);
  if (here == promotion_order.end() || here + 1 == promotion_order.end())
    return fail(Kind::invalid, fmt::format("Nothing comes after {}, where {} is. Name the apps to "
                                           "promote to: --to APP,...",
                                           stage, source));
  for (const auto& one : couplings.as_array())
    if (text_at(one, "stage") == *(here + 1)) targets.push_back(one);
  if (targets.empty())
    return fail(Kind::invalid, fmt::format("No app of the pipeline is in {}, which follows on {}.",
                                           *(here + 1), stage));
  return targets;
}

Result<json::array> wait_for_targets(Context& context, const json::value& promotion) {
  auto* platform = TRY(context.platform());
  const auto path = "/pipeline-promotions/" + text_at(promotion, "id") + "/promotion-targets";
  const auto end = std::chrono::steady_clock::now() + longest;
  auto pause = std::chrono::milliseconds(50);
  bool followed = false;
  for (;;) {
    const auto targets = TRY(platform->get(path, "id ..; max=1000"));
    const auto& all = targets.as_array();
    // Before the end is looked for: a quick command has ended by the time that it is seen.
    if (all.size() == 1 && !followed && !text_at(all[0], "release.id").empty()) {
      const auto release = TRY(platform->get("/apps/" + text_at(all[0], "app.id") + "/releases/" +
                                             text_at(all[0], "release.id")));
      if (const auto url = text_at(release, "output_stream_url"); !url.empty()) {
        followed = true;
        context.terminal.say("Running release command...");
        TRY(platform->stream(url, {}, [&](std::string_view piece) {
          context.terminal.out(piece);
          return true;
        }));
        continue;
      }
    }
    if (std::ranges::none_of(all,
                             [](const auto& one) { return text_at(one, "status") == "pending"; }))
      return all;
    if (std::chrono::steady_clock::now() > end)
      return fail(Kind::unavailable, "The promotion has not ended yet. Look at `renga releases`.");
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(1'000));
  }
}

Result<int> run(Context& context) {
  auto* platform = TRY(context.platform());
  const auto coupling = TRY(coupling_of_app(context));
  const auto couplings = TRY(platform->get(
      "/pipelines/" + text_at(coupling, "pipeline.id") + "/pipeline-couplings", "id ..; max=1000"));
  const auto chosen = TRY(choose_targets(context, coupling, couplings));
  json::array targets;
  for (const auto& one : chosen)
    targets.push_back(json::object{{"app", json::object{{"id", text_at(one, "app.id")}}}});

  json::object source{{"app", json::object{{"id", text_at(coupling, "app.id")}}}};
  if (context.has("release")) source["release"] = json::object{{"id", context.flag("release")}};
  const auto promotion = TRY(platform->post(
      "/pipeline-promotions",
      json::object{{"pipeline", json::object{{"id", text_at(coupling, "pipeline.id")}}},
                   {"source", std::move(source)},
                   {"targets", std::move(targets)}}));
  context.terminal.say(fmt::format("Promoting {}...", text_at(coupling, "app.name")));

  bool all_well = true;
  std::vector<std::vector<std::string>> rows;
  for (const auto& target : TRY(wait_for_targets(context, promotion))) {
    const auto status = text_at(target, "status");
    all_well = all_well && status == "succeeded";
    std::string name = text_at(target, "app.id");
    for (const auto& one : chosen)
      if (text_at(one, "app.id") == name) name = text_at(one, "app.name");
    rows.push_back({name + ":", status, text_at(target, "error_message")});
  }
  context.terminal.say(all_well ? "Promotion successful" : "Promotion to some apps failed");
  context.terminal.out(columns(rows));
  return all_well ? 0 : 1;
}

}  // namespace

Command pipelines_promote() {
  return {.name = "pipelines:promote",
          .usage = "",
          .summary = "release an app's slug on the apps of the next stage",
          .help = R"(The very slug is released, and nothing is built again. Each app keeps its own
config vars and runs its release command. Exit status 1 when it failed on one of them.

Examples:
  $ renga pipelines:promote -a sushi-staging
  $ renga pipelines:promote -a sushi-staging --to sushi-eu,sushi-us)",
          .flags = {app_flag,
                    {"to", 't', "APP,...", "the apps to promote to, in any stage"},
                    {"release", 0, "RELEASE", "promote this release (default: the current one)"}},
          .run = run};
}

}  // namespace renga::cli
