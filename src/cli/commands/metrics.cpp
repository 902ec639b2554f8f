#include <fmt/format.h>

#include "cli/answers.h"
#include "cli/commands/app_commands.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

std::vector<std::string> row(const std::string& name, const json::value& of) {
  const auto milliseconds = [&](std::string_view share) {
    return fmt::format("{:.0f}ms", of.at("latency_ms").at(share).to_number<double>());
  };
  const auto count = [&](std::string_view which) {
    return std::to_string(of.at("statuses").at(which).to_number<std::uint64_t>());
  };
  return {name,
          std::to_string(of.at("requests").to_number<std::uint64_t>()),
          count("2xx"),
          count("3xx"),
          count("4xx"),
          count("5xx"),
          milliseconds("p50"),
          milliseconds("p95"),
          milliseconds("p99"),
          std::to_string(of.at("bytes_out").to_number<std::uint64_t>()),
          std::to_string(of.at("active").to_number<std::int64_t>())};
}

Result<int> run(Context& context) {
  const auto path = TRY(context.path("/router-metrics"));
  const auto all = TRY(TRY(context.platform())->get(path));
  if (context.has("json")) {
    context.terminal.out(pretty(all));
    return 0;
  }
  std::vector<std::vector<std::string>> rows{
      {"Dyno", "Requests", "2xx", "3xx", "4xx", "5xx", "p50", "p95", "p99", "Bytes", "Active"}};
  for (const auto& dyno : all.at("dynos").as_array())
    rows.push_back(row(text_at(dyno, "name"), dyno));
  rows.push_back(row("all", all));
  context.terminal.out(columns(rows));
  for (const auto& [code, count] : all.at("errors").as_object())
    context.terminal.line(fmt::format("{}: {}", code, count.to_number<std::uint64_t>()));
  return 0;
}

}  // namespace

Command metrics() {
  return {
      .name = "metrics",
      .usage = "",
      .summary = "show the requests an app has had: statuses, latency, bytes",
      .help =
          R"(Counted by the router since it started. `Active` is what is under way now, WebSockets
included; latency is from a request's head to the end of its answer. Requests that no
dyno got are in the last row alone. Codes such as H12 are the router's own answers.)",
      .flags = {app_flag, json_flag},
      .run = run};
}

}  // namespace renga::cli
