// kafka:topics:* but tail and write.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/data_commands.h"
#include "cli/kafka_cluster.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

std::string kept(const json::value& topic) {
  const auto milliseconds = number_at(topic, "retention_time_ms");
  std::string text = milliseconds > 0 ? duration_text(milliseconds) : "for ever";
  if (flag_at(topic, "compaction")) text += ", compacted";
  return text;
}

Result<int> list(Context& context) {
  const auto cluster = TRY(kafka_cluster(context, 0));
  const auto answer = TRY(TRY(context.platform())->get(cluster.path + "/topics"));
  if (context.has("json")) {
    context.terminal.out(pretty(answer));
    return 0;
  }
  context.terminal.line(fmt::format("=== Kafka Topics on {}", cluster.name));
  if (const auto prefix = text_at(answer, "prefix"); !prefix.empty())
    context.terminal.line("Prefix: " + prefix);
  std::vector<std::vector<std::string>> rows{{"Name", "Partitions", "Messages", "Size", "Kept"}};
  for (const auto& topic : answer.at("topics").as_array())
    rows.push_back({text_at(topic, "name"), text_at(topic, "partitions"),
                    text_at(topic, "messages"), amount_of(number_at(topic, "data_size")),
                    kept(topic)});
  if (rows.size() == 1)
    context.terminal.say("There are none. `renga kafka:topics:create NAME` makes one.");
  else
    context.terminal.out(columns(rows));
  return 0;
}

Result<int> create(Context& context) {
  const auto name = TRY(kafka_name(context, "topic"));
  const auto cluster = TRY(kafka_cluster(context, 1));
  json::object topic{{"name", name}, {"compaction", context.has("compaction")}};
  if (context.has("partitions")) topic["partition_count"] = context.flag("partitions");
  if (context.has("replication-factor"))
    topic["replication_factor"] = context.flag("replication-factor");
  if (context.has("retention-time"))
    topic["retention_time_ms"] = TRY(parse_duration(context.flag("retention-time")));
  TRY(TRY(context.platform())->post(cluster.path + "/topics", json::object{{"topic", topic}}));
  context.terminal.say(fmt::format("Creating topic {} on {}... done", name, cluster.name));
  const auto prefix = text_at(TRY(kafka_topic(context, cluster, name)), "prefix");
  if (!prefix.empty())
    context.terminal.say(
        fmt::format("Apps know it as {}{}: KAFKA_PREFIX and its name.", prefix, name));
  return 0;
}

Result<int> destroy(Context& context) {
  const auto name = TRY(kafka_name(context, "topic"));
  const auto cluster = TRY(kafka_cluster(context, 1));
  TRY(confirm_app(context, fmt::format("This destroys the topic {} on {} and its messages.", name,
                                       cluster.name)));
  TRY(TRY(context.platform())->remove(cluster.path + "/topics/" + text::url_encode(name)));
  context.terminal.say(fmt::format("Destroying topic {}... done", name));
  return 0;
}

Result<int> info(Context& context) {
  const auto name = TRY(kafka_name(context, "topic"));
  const auto cluster = TRY(kafka_cluster(context, 1));
  const auto topic = TRY(kafka_topic(context, cluster, name));
  context.terminal.line(fmt::format("=== {} :: {}", cluster.name, text_at(topic, "name")));
  std::vector<std::vector<std::string>> rows{
      {"Partitions:", text_at(topic, "partitions")},
      {"Messages:", text_at(topic, "messages")},
      {"Size:", amount_of(number_at(topic, "data_size"))},
      {"Kept:", kept(topic)},
      {"Replication Factor:", text_at(topic, "replication_factor")}};
  if (const auto prefix = text_at(topic, "prefix"); !prefix.empty())
    rows.insert(rows.begin(), {"Prefix:", prefix});
  context.terminal.out(columns(rows));
  return 0;
}

Result<int> change(Context& context, const std::string& name, const KafkaCluster& cluster,
                   json::object topic) {
  topic["name"] = name;
  TRY(TRY(context.platform())
          ->put(cluster.path + "/topics/" + text::url_encode(name),
                json::object{{"topic", std::move(topic)}}));
  context.terminal.line(fmt::format("Messages of {} are kept: {}.", name,
                                    kept(TRY(kafka_topic(context, cluster, name)))));
  return 0;
}

Result<int> retention(Context& context) {
  const auto name = TRY(kafka_name(context, "topic"));
  if (context.arguments.size() < 2)
    return fail(Kind::invalid, "For how long? Such as 10d or 36h, or `disable`.");
  const auto cluster = TRY(kafka_cluster(context, 2));
  json::object topic{{"retention_time_ms", nullptr}};
  if (context.arguments[1] != "disable")
    topic["retention_time_ms"] = TRY(parse_duration(context.arguments[1]));
  return change(context, name, cluster, std::move(topic));
}

Result<int> compaction(Context& context) {
  const auto name = TRY(kafka_name(context, "topic"));
  const auto word = context.arguments.size() < 2 ? "" : context.arguments[1];
  if (word != "enable" && word != "disable" && word != "on" && word != "off")
    return fail(Kind::invalid, "kafka:topics:compaction takes a topic, and enable or disable.");
  const auto cluster = TRY(kafka_cluster(context, 2));
  return change(context, name, cluster,
                json::object{{"compaction", word == "enable" || word == "on"}});
}

}  // namespace

Command kafka_topics() {
  return {.name = "kafka:topics",
          .usage = "[CLUSTER]",
          .summary = "list the topics of a Kafka cluster",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = list};
}

Command kafka_topics_create() {
  return {.name = "kafka:topics:create",
          .usage = "TOPIC [CLUSTER]",
          .summary = "create a topic",
          .help = R"(Examples:
  $ renga kafka:topics:create visits --partitions 4 --retention-time 3d -a shop)",
          .flags = {app_flag,
                    {"partitions", 0, "NUMBER", "how many partitions; 8 otherwise"},
                    {"replication-factor", 0, "NUMBER", "1: the broker is one"},
                    {"retention-time", 0, "TIME", "how long messages are kept: 10d, 36h"},
                    {"compaction", 0, "", "keep the newest message of each key"}},
          .run = create};
}

Command kafka_topics_destroy() {
  return {.name = "kafka:topics:destroy",
          .usage = "TOPIC [CLUSTER]",
          .summary = "destroy a topic and its messages",
          .help = R"()",
          .flags = {app_flag, {"confirm", 'c', "NAME", "the app's name, instead of being asked"}},
          .run = destroy};
}

Command kafka_topics_info() {
  return {.name = "kafka:topics:info",
          .usage = "TOPIC [CLUSTER]",
          .summary = "show a topic",
          .help = R"()",
          .flags = {app_flag},
          .run = info};
}

Command kafka_topics_retention_time() {
  return {
      .name = "kafka:topics:retention-time",
      .usage = "TOPIC TIME [CLUSTER]",
      .summary = "say how long messages are kept",
      .help =
          R"(TIME is such as 10d or 36h; `disable` keeps them for ever, which wants compaction.)",
      .flags = {app_flag},
      .run = retention};
}

Command kafka_topics_compaction() {
  return {.name = "kafka:topics:compaction",
          .usage = "TOPIC enable|disable [CLUSTER]",
          .summary = "keep the newest message of each key, or not",
          .help = R"()",
          .flags = {app_flag},
          .run = compaction};
}

}  // namespace renga::cli
