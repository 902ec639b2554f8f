#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

double amount(const json::value& of, std::string_view name) {
  return of.at(name).to_number<double>();
}

std::string megabytes(double bytes) { return fmt::format("{:.0f}MB", bytes / (1 << 20)); }

std::vector<std::string> row(const json::value& dyno) {
  const auto& points = dyno.at("points").as_array();
  const auto& now = points.back();
  double most_memory = 0, most_cpu = 0, cpu = 0;
  for (const auto& point : points) {
    most_memory = std::max(most_memory, amount(point, "memory_total"));
    most_cpu = std::max(most_cpu, amount(point, "cpu"));
    cpu += amount(point, "cpu");
  }
  const auto quota = amount(now, "memory_quota"), total = amount(now, "memory_total");
  return {text_at(dyno, "name"),
          megabytes(amount(now, "memory_rss")),
          megabytes(amount(now, "memory_cache")),
          megabytes(amount(now, "memory_swap")),
          fmt::format("{} ({:.0f}%)", megabytes(total), quota > 0 ? 100 * total / quota : 0),
          megabytes(most_memory),
          megabytes(quota),
          fmt::format("{:.2f}", amount(now, "cpu")),
          fmt::format("{:.2f}", cpu / static_cast<double>(points.size())),
          fmt::format("{:.2f}", most_cpu),
          fmt::format("{:.2f}", amount(now, "load_avg_1m")),
          text_at(now, "at")};
}

Result<int> run(Context& context) {
  const auto hours = context.flag("hours", "1");
  const auto path = TRY(context.path("/dyno-metrics?hours=" + text::url_encode(hours)));
  const auto all = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(all));
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"Dyno", "RSS", "Cache", "Swap", "Memory", "Most",
                                              "Quota", "CPU", "Mean", "Most", "Load", "At"}};
  for (const auto& dyno : all.at("dynos").as_array()) rows.push_back(row(dyno));
  if (rows.size() == 1) {
    context.terminal.say(
        "Nothing is known of this app's dynos in that time; a dyno is looked at once a minute.");
    return 0;
  }
  context.terminal.out(columns(rows));
  return 0;
}

}  // namespace

Command ps_metrics() {
  return {
      .name = "ps:metrics",
      .usage = "",
      .summary = "show the memory and CPU that dynos use",
      .help = R"(The newest minute of each dyno, and the most and the mean of the last hour, or of
as many --hours (up to 24). CPU is in CPUs: 0.25 is a quarter of one. --json has all
points. A dyno that has ended is listed for as long as its points are.)",
      .flags = {app_flag, {"hours", 0, "N", "how far to look back: 1 to 24"}, json_flag},
      .run = run};
}

}  // namespace renga::cli
