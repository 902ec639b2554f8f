// kafka:topics:tail and :write, by the data API: the broker itself need not be reached from here.
#include <fmt/format.h>

#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/data_commands.h"
#include "cli/kafka_cluster.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

std::string shown(const json::value& message, const std::string& name) {
  const auto encoded = text_at(message, name + "_base64");
  return encoded.empty() ? text_at(message, name) : "base64:" + encoded;
}

// Each call says where the next one goes on, so that nothing is shown twice or missed.
Result<int> tail(Context& context) {
  const auto name = TRY(kafka_name(context, "topic"));
  const auto cluster = TRY(kafka_cluster(context, 1));
  auto* platform = TRY(context.platform());
  const auto limit = text::number(context.flag("max", "0")).value_or(-1);
  if (limit < 0) return fail(Kind::invalid, "--max takes a number of messages.");
  std::int64_t back = 0;
  if (context.has("from-beginning")) back = -1;
  if (context.has("num")) {
    const auto number = text::number(context.flag("num"));
    if (!number || *number < 0) return fail(Kind::invalid, "--num takes a number of messages.");
    back = *number;
  }
  std::int64_t count = 0;
  std::string positions;
  // What is there already comes at once, and its end does too.
  const bool once = context.has("no-wait");
  while (true) {
    const auto answer = TRY(platform->get(fmt::format(
        "{}/topics/{}/messages?positions={}&back={}&wait_ms={}", cluster.path,
        text::url_encode(name), text::url_encode(positions), back, once ? 1'000 : 15'000)));
    positions = text_at(answer, "positions");
    const auto& messages = answer.at("messages").as_array();
    for (const auto& message : messages) {
      if (context.has("json")) {
        context.terminal.line(json::serialize(message));
      } else {
        const auto key = shown(message, "key");
        context.terminal.line(fmt::format("{} {} {} {}{}{}", text_at(message, "created_at"),
                                          text_at(message, "partition"), text_at(message, "offset"),
                                          key, key.empty() ? "" : " ",
                                          text::printable(shown(message, "value"))));
      }
      if (++count == limit) return 0;
    }
    if (once && messages.empty()) return 0;
  }
}

Result<int> write(Context& context) {
  const auto name = TRY(kafka_name(context, "topic"));
  if (context.arguments.size() < 2)
    return fail(Kind::invalid, "kafka:topics:write takes a topic and a message.");
  const auto cluster = TRY(kafka_cluster(context, 2));
  json::object message{{"value", context.arguments[1]}};
  if (context.has("key")) message["key"] = context.flag("key");
  if (context.has("partition")) message["partition"] = context.flag("partition");
  const auto written =
      TRY(TRY(context.platform())
              ->post(fmt::format("{}/topics/{}/messages", cluster.path, text::url_encode(name)),
                     message));
  context.terminal.say(fmt::format("Written to {}: partition {}, offset {}", name,
                                   number_at(written, "partition"), number_at(written, "offset")));
  return 0;
}

}  // namespace

Command kafka_topics_tail() {
  return {
      .name = "kafka:topics:tail",
      .usage = "TOPIC [CLUSTER]",
      .summary = "show a topic's messages as they come",
      .help = R"(Each line has the time, partition, offset, key and value.

Examples:
  $ renga kafka:topics:tail visits --num 10 -a shop)",
      .flags = {app_flag,
                json_flag,
                {"num", 'n', "NUMBER", "begin so many messages before the end of each partition"},
                {"from-beginning", 0, "", "begin with the first message that is kept"},
                {"max", 0, "NUMBER", "end after so many messages"},
                {"no-wait", 0, "", "end at the last message that is there"}},
      .run = tail};
}

Command kafka_topics_write() {
  return {.name = "kafka:topics:write",
          .usage = "TOPIC MESSAGE [CLUSTER]",
          .summary = "write a message to a topic",
          .help = R"()",
          .flags = {app_flag,
                    {"key", 0, "TEXT", "its key, which chooses the partition too"},
                    {"partition", 0, "NUMBER", "the partition to write to"}},
          .run = write};
}

}  // namespace renga::cli
