#include "cli/kafka_cluster.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/data_stores.h"

namespace renga::cli {
namespace json = boost::json;

Result<KafkaCluster> kafka_cluster(Context& context, std::size_t index) {
  const auto store =
      TRY(find_data_store(context, DataService::kafka,
                          index < context.arguments.size() ? context.arguments[index] : ""));
  return KafkaCluster{store.addon_name, "/data/kafka/v0/clusters/" + store.addon, store.app};
}

Result<std::string> kafka_name(Context& context, std::string_view what) {
  if (context.arguments.empty())
    return fail(Kind::invalid, fmt::format("Which {}? Its name is missing.", what));
  return context.arguments.front();
}

Result<json::value> kafka_topic(Context& context, const KafkaCluster& cluster,
                                const std::string& name) {
  const auto answer = TRY(TRY(context.platform())->get(cluster.path + "/topics"));
  for (const auto& topic : answer.at("topics").as_array())
    if (text_at(topic, "name") == name || text_at(topic, "prefix") + text_at(topic, "name") == name)
      return topic;
  return fail(Kind::not_found, fmt::format("{} has no topic {}.", cluster.name, name));
}

std::string amount_of(std::int64_t bytes) {
  constexpr const char* units[] = {"bytes", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string duration_text(std::int64_t milliseconds) {
  const auto hours = milliseconds / 3'600'000;
  return hours < 48 ? fmt::format("{} hours", hours) : fmt::format("{} days", hours / 24);
}

Result<std::int64_t> parse_duration(const std::string& text) {
  const std::map<char, std::int64_t> units{{'d', 86'400'000}, {'h', 3'600'000}, {'m', 60'000}};
  const auto unit = text.empty() ? units.end() : units.find(text.back());
  const auto number = unit == units.end()
                          ? std::nullopt
                          : text::number(std::string_view(text).substr(0, text.size() - 1));
  if (!number || *number <= 0 || *number > 100'000)
    return fail(Kind::invalid,
                fmt::format("\"{}\" is no length of time, such as 10d or 36h.", text));
  return *number * unit->second;
}

}  // namespace renga::cli
