#include "kafka/data_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"

namespace renga::kafka {
namespace json = boost::json;

namespace {

using provider::DataCall;
using std::chrono::milliseconds;

constexpr milliseconds longest_wait{20'000};
constexpr std::int64_t most_back = 10'000;

std::string part(const DataCall& call, std::size_t index) {
  return index < call.path.size() ? call.path[index] : std::string();
}

std::unexpected<Error> no_such_call() {
  return fail(Kind::not_found, "heroku-kafka has no such call.");
}

const json::value* member(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* found = member(object, key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
}

// The plugin sends some numbers as texts.
Result<std::optional<std::int64_t>> number_in(const json::object& object, std::string_view key) {
  const auto* found = member(object, key);
  if (found == nullptr) return std::optional<std::int64_t>();
  auto number = found->is_string()  ? text::number(std::string_view(found->get_string()))
                : found->is_int64() ? std::optional(found->get_int64())
                                    : std::nullopt;
  if (!number)
    return fail(Kind::invalid, fmt::format("`{}` must be a whole number.", std::string(key)));
  return number;
}

Result<TopicChange> change_in(const json::object& topic) {
  TopicChange change;
  const auto replicas = TRY(number_in(topic, "replication_factor"));
  if (replicas && *replicas != 1)
    return fail(Kind::invalid,
                "The broker is one machine's, so that a topic has one replica: leave the "
                "replication factor out.");
  if (const auto partitions = TRY(number_in(topic, "partition_count")))
    change.partitions = static_cast<int>(std::clamp<std::int64_t>(*partitions, -1, 1'000'000));
  if (const auto* compaction = member(topic, "compaction")) {
    if (!compaction->is_bool()) return fail(Kind::invalid, "`compaction` must be true or false.");
    change.compaction = compaction->get_bool();
  }
  change.retention_given = topic.contains("retention_time_ms");
  if (const auto retention = TRY(number_in(topic, "retention_time_ms")))
    change.retention = Retention(*retention);
  return change;
}

json::value retention_json(const std::optional<Retention>& retention) {
  return retention ? json::value(retention->count()) : json::value(nullptr);
}

json::object limits_json(const Plan& plan) {
  return {{"max_topics", plan.topics > 0 ? json::value(plan.topics) : json::value(nullptr)},
          {"max_partition_replica_count", plan.partitions},
          {"data_size", json::object{{"limit_bytes", plan.capacity}}},
          {"minimum_retention_ms", shortest_retention.count()},
          {"default_retention_ms", default_retention.count()},
          {"maximum_retention_ms", longest(plan).count()}};
}

// Bytes that are no text are shown in base64.
bool is_text(std::string bytes) {
  for (char& c : bytes)
    if (c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t') c = ' ';
  // JSON's own reader knows what is UTF-8 and what is a control character.
  boost::system::error_code wrong;
  json::parse("\"" + bytes + "\"", wrong);
  return !wrong;
}

void put_bytes(json::object& object, const std::string& name,
               const std::optional<std::string>& bytes) {
  if (!bytes)
    object[name] = nullptr;
  else if (is_text(*bytes))
    object[name] = *bytes;
  else
    object[name + "_base64"] = text::base64(*bytes);
}

json::object message_json(const Message& message) {
  json::object shown{{"partition", message.partition},
                     {"offset", message.offset},
                     {"created_at", rfc3339(from_micros(message.at_ms * 1'000))}};
  put_bytes(shown, "key", message.key);
  put_bytes(shown, "value", message.value);
  return shown;
}

}  // namespace

Result<json::value> DataApi::answer(const DataCall& call) {
  // data/kafka/v0/clusters/:addon/…
  if (call.path.size() < 5 || part(call, 0) != "data" || part(call, 1) != "kafka")
    return no_such_call();
  const auto what = part(call, 5);
  if (what == "wait_status" && call.method == "GET") {
    const auto found = clusters_.find(call.addon);
    return json::value{{"waiting?", !found.has_value()},
                       {"healthy?", found.has_value()},
                       {"message", found ? "available" : "preparing"}};
  }
  const auto cluster = TRY(clusters_.find(call.addon));
  if (what.empty() && call.method == "GET") return described(cluster);
  if (what == "topics") return topics(call, cluster);
  if (what == "consumer_groups") return groups(call, cluster);
  if (what == "rotate-credentials" && call.method == "POST") {
    TRY(clusters_.rotate(cluster.uuid));
    return json::value{{"message", "The apps get a new certificate; the old one is not let in."}};
  }
  if (what == "upgrade" && (call.method == "POST" || call.method == "PUT"))
    return fail(Kind::invalid, "This cluster runs the version that this server has.");
  return no_such_call();
}

Result<json::value> DataApi::described(const Cluster& cluster) {
  const auto& plan = cluster.terms();
  const auto all = TRY(topics_.all(cluster));
  json::array names;
  std::int64_t partitions = 0, bytes = 0;
  double messages_in = 0, bytes_in = 0;
  for (const auto& topic : all) {
    names.emplace_back(topic.name);
    partitions += topic.partitions;
    bytes += topic.bytes;
    messages_in += topic.messages_per_second;
    bytes_in += topic.bytes_per_second;
  }
  return json::value{
      {"addon_id", cluster.uuid},
      {"name", cluster.name},
      {"plan", cluster.plan},
      {"version", Jars::version()},
      {"created_at", rfc3339(cluster.created_at)},
      {"state",
       json::object{{"message", "available"}, {"status", "available"}, {"healthy?", true}}},
      {"robot", json::object{{"is_robot", false}}},
      {"shared_cluster", !plan.dedicated},
      {"topic_prefix", cluster.prefix.empty() ? json::value(nullptr) : json::value(cluster.prefix)},
      {"topics", std::move(names)},
      {"limits", limits_json(plan)},
      {"capabilities", json::object{{"supports_mixed_cleanup_policy", true}}},
      {"partition_replica_count", partitions},
      {"data_size", bytes},
      {"messages_in_per_sec", messages_in},
      {"bytes_in_per_sec", bytes_in},
      {"bytes_out_per_sec", 0},  // nobody counts them
      {"customer_encryption_key", nullptr}};
}

Result<std::vector<std::pair<std::string, std::string>>> DataApi::dashboard(
    const Cluster& cluster) {
  const auto& plan = cluster.terms();
  std::int64_t bytes = 0;
  const auto all = TRY(topics_.all(cluster));
  for (const auto& topic : all) bytes += topic.bytes;
  return std::vector<std::pair<std::string, std::string>>{
      {"Plan", std::string(plan.title)},
      {"Version", Jars::version()},
      {"Created", rfc3339(cluster.created_at)},
      {"Topics", std::to_string(all.size())},
      {"Prefix", cluster.prefix},
      {"Data Size", fmt::format("{} of {} MB", bytes / megabyte, plan.capacity / megabyte)}};
}

Result<json::value> DataApi::topics(const DataCall& call, const Cluster& cluster) {
  const auto name = part(call, 6);
  const auto* body = member(call.body, "topic");
  const auto topic = body != nullptr && body->is_object() ? body->get_object() : json::object{};
  if (part(call, 7) == "messages") return messages(call, cluster, name);
  if (call.path.size() > 7) return no_such_call();
  if (name.empty() && call.method == "GET") {
    json::array shown;
    for (const auto& one : TRY(topics_.all(cluster)))
      shown.push_back(
          {{"name", one.name},
           {"prefix", cluster.prefix.empty() ? json::value(nullptr) : json::value(cluster.prefix)},
           {"partitions", one.partitions},
           {"replication_factor", 1},
           {"compaction", one.compaction},
           {"retention_time_ms", retention_json(one.retention)},
           {"messages", one.messages},
           {"data_size", one.bytes},
           {"messages_in_per_second", one.messages_per_second},
           {"bytes_in_per_second", one.bytes_per_second},
           {"bytes_out_per_second", 0}});
    return json::value{
        {"attachment_name", cluster.name},
        {"prefix", cluster.prefix.empty() ? json::value(nullptr) : json::value(cluster.prefix)},
        {"limits", limits_json(cluster.terms())},
        {"topics", std::move(shown)}};
  }
  if (name.empty() && call.method == "POST") {
    auto wanted = text_of(topic, "name");
    if (!cluster.prefix.empty() && wanted.starts_with(cluster.prefix))
      wanted.erase(0, cluster.prefix.size());
    auto change = TRY(change_in(topic));
    if (!change.retention && !(change.compaction.value_or(false) && cluster.terms().dedicated))
      change.retention_given = false;
    TRY(topics_.create(cluster, wanted, change));
    return json::value{{"message", "Created."}, {"name", wanted}};
  }
  if (!name.empty() && call.method == "PUT") {
    TRY(topics_.change(cluster, name, TRY(change_in(topic))));
    return json::value{{"message", "Changed."}};
  }
  if (!name.empty() && call.method == "DELETE") {
    TRY(topics_.destroy(cluster, name));
    return json::value{{"message", "Destroyed."}};
  }
  return no_such_call();
}

// GET …/messages?positions=0:17,1:4&back=10&wait_ms=5000 → {messages, positions}
Result<json::value> DataApi::messages(const DataCall& call, const Cluster& cluster,
                                      const std::string& topic) {
  if (call.method == "POST") {
    const auto partition = TRY(number_in(call.body, "partition"));
    const auto* key = member(call.body, "key");
    const auto* value = member(call.body, "value");
    if (value == nullptr || !value->is_string() || (key != nullptr && !key->is_string()))
      return fail(Kind::invalid, R"(A message is {"value": "…"}, with a `key` if need be.)");
    const auto written = TRY(topics_.write(
        cluster, topic,
        partition
            ? std::optional(static_cast<int>(std::clamp<std::int64_t>(*partition, -1, 1 << 20)))
            : std::nullopt,
        key ? std::optional(std::string(key->get_string())) : std::nullopt,
        std::string(value->get_string())));
    return json::value{{"partition", written.partition}, {"offset", written.offset}};
  }
  if (call.method != "GET") return no_such_call();
  std::map<int, std::int64_t> positions;
  const auto parameter = [&](const std::string& name) {
    const auto found = call.query.find(name);
    return found == call.query.end() ? std::string() : found->second;
  };
  const auto given = parameter("positions");
  for (const auto each : text::split(given, ',')) {
    if (each.empty()) continue;
    const auto [partition, offset] = text::split_once(each, ':');
    const auto number = text::number(partition), at = text::number(offset);
    if (!number || !at || *number < 0 || *number > 1 << 20)
      return fail(Kind::invalid, "`positions` is a list such as 0:17,1:4.");
    positions[static_cast<int>(*number)] = *at;
  }
  const auto back = std::min(text::number(parameter("back")).value_or(0), most_back);
  const auto wait = std::clamp(milliseconds(text::number(parameter("wait_ms")).value_or(0)),
                               milliseconds(500), longest_wait);
  json::array shown;
  for (const auto& message : TRY(topics_.read(cluster, topic, positions, back, wait)))
    shown.push_back(message_json(message));
  std::string next;
  for (const auto& [partition, offset] : positions)
    next += fmt::format("{}{}:{}", next.empty() ? "" : ",", partition, offset);
  return json::value{{"messages", std::move(shown)}, {"positions", next}};
}

Result<json::value> DataApi::groups(const DataCall& call, const Cluster& cluster) {
  const auto name = part(call, 6);
  if (name.empty() && call.method == "GET") {
    json::array shown;
    for (const auto& group : TRY(topics_.groups(cluster))) {
      json::array lags;
      std::int64_t behind = 0;
      for (const auto& lag : group.lags) {
        lags.push_back({{"topic", lag.topic},
                        {"partition", lag.partition},
                        {"offset", lag.offset},
                        {"lag", lag.behind}});
        behind += lag.behind;
      }
      shown.push_back({{"name", group.name},
                       {"state", group.state},
                       {"members", group.members},
                       {"lag", behind},
                       {"positions", std::move(lags)}});
    }
    return json::value{{"attachment_name", cluster.name}, {"consumer_groups", std::move(shown)}};
  }
  // Heroku's words, by which its plugin knows that there is nothing to do.
  if (name.empty() && call.method == "POST")
    return fail(Kind::bad_request, "this command is not required or enabled on dedicated clusters");
  if (call.method == "DELETE") {
    const auto* body = member(call.body, "consumer_group");
    const auto named = body != nullptr && body->is_object()
                           ? text_of(body->get_object(), "name")
                           : text_of(call.body, "consumer_group_name");
    TRY(topics_.destroy_group(cluster, name.empty() ? named : name));
    return json::value{{"message", "Destroyed."}};
  }
  return no_such_call();
}

}  // namespace renga::kafka
