// kafka:* but topics and messages.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/data_commands.h"
#include "cli/kafka_cluster.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

Result<int> info(Context& context) {
  const auto cluster = TRY(kafka_cluster(context, 0));
  const auto now = TRY(TRY(context.platform())->get(cluster.path));
  if (context.has("json")) {
    context.terminal.out(pretty(now));
    return 0;
  }
  const auto count = now.at("topics").as_array().size();
  const auto most = number_at(now, "limits.max_topics");
  std::vector<std::vector<std::string>> rows{
      {"Plan:", text_at(now, "plan")},
      {"Status:", text_at(now, "state.message")},
      {"Version:", text_at(now, "version")},
      {"Created:", when(text_at(now, "created_at"))},
      {"Topics:", most > 0 ? fmt::format("{} / {}", count, most) : std::to_string(count)},
      {"Partitions:", fmt::format("{} / {}", number_at(now, "partition_replica_count"),
                                  number_at(now, "limits.max_partition_replica_count"))},
      {"Data Size:", fmt::format("{} / {}", amount_of(number_at(now, "data_size")),
                                 amount_of(number_at(now, "limits.data_size.limit_bytes")))}};
  if (const auto prefix = text_at(now, "topic_prefix"); !prefix.empty())
    rows.push_back({"Prefix:", prefix});
  rows.push_back({"Add-on:", cluster.name});
  context.terminal.line(fmt::format("=== {}", cluster.name));
  context.terminal.out(columns(rows));
  return 0;
}

Result<int> wait(Context& context) {
  const auto cluster = TRY(kafka_cluster(context, 0));
  auto* platform = TRY(context.platform());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(30);
  while (true) {
    const auto status = TRY(platform->get(cluster.path + "/wait_status"));
    if (!flag_at(status, "waiting?")) break;
    if (std::chrono::steady_clock::now() > deadline)
      return fail(Kind::unavailable, fmt::format("{} is still not there.", cluster.name));
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  context.terminal.say(fmt::format("{} is available.", cluster.name));
  return 0;
}

Result<int> credentials(Context& context) {
  if (!context.has("reset"))
    return fail(Kind::invalid,
                "kafka:credentials takes --reset. The certificates are in the app's config vars.");
  const auto cluster = TRY(kafka_cluster(context, 0));
  TRY(TRY(context.platform())->post(cluster.path + "/rotate-credentials", json::object{}));
  context.terminal.say(fmt::format("Resetting credentials for {}... done", cluster.name));
  return 0;
}

Result<int> promote_cluster(Context& context) {
  return promote(context, TRY(kafka_name(context, "cluster")), DataService::kafka);
}

Result<int> groups(Context& context) {
  const auto cluster = TRY(kafka_cluster(context, 0));
  const auto answer = TRY(TRY(context.platform())->get(cluster.path + "/consumer_groups"));
  const auto& all = answer.at("consumer_groups").as_array();
  if (context.has("json")) {
    context.terminal.out(pretty(answer));
    return 0;
  }
  context.terminal.line(fmt::format("=== Kafka Consumer Groups on {}", cluster.name));
  std::vector<std::vector<std::string>> rows{{"Name", "State", "Members", "Lag"}};
  for (const auto& group : all)
    rows.push_back({text_at(group, "name"), text_at(group, "state"), text_at(group, "members"),
                    text_at(group, "lag")});
  if (all.empty())
    context.terminal.say("There are none. A group is there once a consumer has joined it.");
  else
    context.terminal.out(columns(rows));
  return 0;
}

Result<int> destroy_group(Context& context) {
  const auto name = TRY(kafka_name(context, "consumer group"));
  const auto cluster = TRY(kafka_cluster(context, 1));
  TRY(confirm_app(context,
                  fmt::format("This forgets how far {} has read on {}.", name, cluster.name)));
  TRY(TRY(context.platform())->remove(cluster.path + "/consumer_groups/" + text::url_encode(name)));
  context.terminal.say(fmt::format("Destroying consumer group {}... done", name));
  return 0;
}

}  // namespace

Command kafka_info() {
  return {.name = "kafka:info",
          .usage = "[CLUSTER]",
          .summary = "show a Kafka cluster",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = info};
}

Command kafka_wait() {
  return {.name = "kafka:wait",
          .usage = "[CLUSTER]",
          .summary = "wait until a Kafka cluster is there",
          .help = R"()",
          .flags = {app_flag},
          .run = wait};
}

Command kafka_credentials() {
  return {.name = "kafka:credentials",
          .usage = "[CLUSTER]",
          .summary = "give a cluster's apps a new certificate",
          .help = R"(The one they have now is not let in any more.)",
          .flags = {app_flag, {"reset", 0, "", "do so; the apps get a release"}},
          .run = credentials};
}

Command kafka_promote() {
  return {.name = "kafka:promote",
          .usage = "CLUSTER",
          .summary = "make a cluster the app's KAFKA_URL",
          .help = R"(The one that was KAFKA_URL keeps another name.)",
          .flags = {app_flag},
          .run = promote_cluster};
}

Command kafka_consumer_groups() {
  return {.name = "kafka:consumer-groups",
          .usage = "[CLUSTER]",
          .summary = "list consumer groups and how far they are behind",
          .help = R"()",
          .flags = {app_flag, json_flag},
          .run = groups};
}

Command kafka_consumer_groups_destroy() {
  return {.name = "kafka:consumer-groups:destroy",
          .usage = "GROUP [CLUSTER]",
          .summary = "forget a consumer group",
          .help = R"()",
          .flags = {app_flag, {"confirm", 'c', "NAME", "the app's name, instead of being asked"}},
          .run = destroy_group};
}

}  // namespace renga::cli
