// The part of Connection that administrates. Each call of librdkafka's answers by an event, which
// has an error of its own and one for each thing that was asked for.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "kafka/connection.h"
#include "kafka/owned.h"

namespace renga::kafka {
namespace {

constexpr int limit_ms = 8'000;

// One call: what it is asked with, and its answer.
class Asked {
 public:
  Asked(rd_kafka_t* client, rd_kafka_admin_op_t operation)
      : queue_(own(rd_kafka_queue_new(client))),
        options_(own(rd_kafka_AdminOptions_new(client, operation))) {
    char why[256];
    rd_kafka_AdminOptions_set_request_timeout(options_.get(), limit_ms, why, sizeof why);
    // Only creations and deletions have one: until the change is everywhere.
    rd_kafka_AdminOptions_set_operation_timeout(options_.get(), limit_ms - 1'000, why, sizeof why);
  }

  const rd_kafka_AdminOptions_t* options() const { return options_.get(); }
  rd_kafka_queue_t* queue() const { return queue_.get(); }

  // Kind::unavailable when there is none.
  Result<const rd_kafka_event_t*> answer() {
    event_.reset(rd_kafka_queue_poll(queue_.get(), limit_ms + 1'000));
    if (!event_) return fail(Kind::unavailable, "The Kafka broker does not answer.");
    if (const auto error = rd_kafka_event_error(event_.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return fail(Kind::unavailable, fmt::format("The Kafka broker does not answer: {}.",
                                                 rd_kafka_event_error_string(event_.get())));
    return event_.get();
  }

 private:
  Owned<rd_kafka_queue_t> queue_;
  Owned<rd_kafka_AdminOptions_t> options_;
  Owned<rd_kafka_event_t> event_;
};

std::unexpected<Error> refused(const char* why) {
  return fail(Kind::invalid,
              fmt::format("Kafka refused: {}.", text::printable(why == nullptr ? "" : why)));
}

// Every topic of an answer, but for errors that mean that it is so already.
Result<void> check(const rd_kafka_topic_result_t** topics, std::size_t count,
                   rd_kafka_resp_err_t fine) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(topics[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == fine) continue;
    const auto* why = rd_kafka_topic_result_error_string(topics[i]);
    return refused(why != nullptr ? why : rd_kafka_err2str(error));
  }
  return {};
}

std::vector<const char*> c_texts(const std::vector<std::string>& all) {
  std::vector<const char*> bare;
  for (const auto& one : all) bare.push_back(one.c_str());
  return bare;
}

}  // namespace

Result<void> Connection::create_topic(const TopicState& topic, const Settings& settings) {
  char why[256];
  const Owned<rd_kafka_NewTopic_t> wanted(
      rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, 1, why, sizeof why));
  if (!wanted) return refused(why);
  for (const auto& [name, value] : settings)
    rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str());
  Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS);
  auto* one = wanted.get();
  rd_kafka_CreateTopics(client_.get(), &one, 1, asked.options(), asked.queue());
  const auto* answer = TRY(asked.answer());
  std::size_t count = 0;
  const auto* result = rd_kafka_event_CreateTopics_result(const_cast<rd_kafka_event_t*>(answer));
  return check(rd_kafka_CreateTopics_result_topics(result, &count), count,
               RD_KAFKA_RESP_ERR_NO_ERROR);
}

Result<void> Connection::delete_topics(const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::vector<Owned<rd_kafka_DeleteTopic_t>> doomed;
  for (const auto& name : names) doomed.push_back(own(rd_kafka_DeleteTopic_new(name.c_str())));
  auto bare = pointers(doomed);
  Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_DELETETOPICS);
  rd_kafka_DeleteTopics(client_.get(), bare.data(), bare.size(), asked.options(), asked.queue());
  const auto* answer = TRY(asked.answer());
  std::size_t count = 0;
  const auto* result = rd_kafka_event_DeleteTopics_result(const_cast<rd_kafka_event_t*>(answer));
  return check(rd_kafka_DeleteTopics_result_topics(result, &count), count,
               RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

Result<void> Connection::add_partitions(const std::string& topic, int total) {
  char why[256];
  const Owned<rd_kafka_NewPartitions_t> wanted(
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(total), why, sizeof why));
  if (!wanted) return refused(why);
  Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_CREATEPARTITIONS);
  auto* one = wanted.get();
  rd_kafka_CreatePartitions(client_.get(), &one, 1, asked.options(), asked.queue());
  const auto* answer = TRY(asked.answer());
  std::size_t count = 0;
  const auto* result =
      rd_kafka_event_CreatePartitions_result(const_cast<rd_kafka_event_t*>(answer));
  return check(rd_kafka_CreatePartitions_result_topics(result, &count), count,
               RD_KAFKA_RESP_ERR_NO_ERROR);
}

Result<std::map<std::string, Settings>> Connection::settings(
    const std::vector<std::string>& topics) {
  std::map<std::string, Settings> all;
  if (topics.empty()) return all;
  std::vector<Owned<rd_kafka_ConfigResource_t>> wanted;
  for (const auto& topic : topics)
    wanted.push_back(own(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str())));
  auto bare = pointers(wanted);
  Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_DescribeConfigs(client_.get(), bare.data(), bare.size(), asked.options(), asked.queue());
  const auto* answer = TRY(asked.answer());
  std::size_t count = 0;
  const auto* const* resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(const_cast<rd_kafka_event_t*>(answer)), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (rd_kafka_ConfigResource_error(resources[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    auto& settings = all[rd_kafka_ConfigResource_name(resources[i])];
    std::size_t entries = 0;
    const auto* const* entry = rd_kafka_ConfigResource_configs(resources[i], &entries);
    for (std::size_t j = 0; j < entries; ++j)
      if (rd_kafka_ConfigEntry_source(entry[j]) == RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG)
        if (const auto* value = rd_kafka_ConfigEntry_value(entry[j]))
          settings[rd_kafka_ConfigEntry_name(entry[j])] = value;
  }
  return all;
}

Result<void> Connection::set(const std::map<std::string, Settings>& topics) {
  if (topics.empty()) return {};
  std::vector<Owned<rd_kafka_ConfigResource_t>> wanted;
  for (const auto& [topic, settings] : topics) {
    wanted.push_back(own(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str())));
    for (const auto& [name, value] : settings)
      rd_kafka_ConfigResource_set_config(wanted.back().get(), name.c_str(), value.c_str());
  }
  return alter(pointers(wanted));
}

Result<void> Connection::set_broker(const Settings& settings) {
  std::vector<Owned<rd_kafka_ConfigResource_t>> wanted;
  // Each has one node, whose id is 1.
  wanted.push_back(own(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, "1")));
  for (const auto& [name, value] : settings)
    rd_kafka_ConfigResource_set_config(wanted.back().get(), name.c_str(), value.c_str());
  return alter(pointers(wanted));
}

Result<void> Connection::alter(const std::vector<rd_kafka_ConfigResource_t*>& wanted) {
  auto bare = wanted;
  Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_ALTERCONFIGS);
  rd_kafka_AlterConfigs(client_.get(), bare.data(), bare.size(), asked.options(), asked.queue());
  const auto* answer = TRY(asked.answer());
  std::size_t count = 0;
  const auto* const* resources = rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(const_cast<rd_kafka_event_t*>(answer)), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_ConfigResource_error(resources[i]);
    // Gone meanwhile.
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR && error != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
      return refused(rd_kafka_ConfigResource_error_string(resources[i]));
  }
  return {};
}

Result<void> Connection::allow(const Rights& rights) {
  std::vector<Owned<rd_kafka_AclBinding_t>> wanted;
  char why[256] = "";
  const auto add = [&](rd_kafka_ResourceType_t type, rd_kafka_AclOperation_t operation) {
    const bool all = rights.prefix.empty();
    auto* made = rd_kafka_AclBinding_new(type,
                                         type == RD_KAFKA_RESOURCE_BROKER ? "kafka-cluster"
                                         : all                            ? "*"
                                                                          : rights.prefix.c_str(),
                                         all || type == RD_KAFKA_RESOURCE_BROKER
                                             ? RD_KAFKA_RESOURCE_PATTERN_LITERAL
                                             : RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
                                         ("User:" + rights.user).c_str(), "*", operation,
                                         RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW, why, sizeof why);
    if (made != nullptr) wanted.emplace_back(made);
  };
  // On a shared broker topics are made by kafka:topics:create, which minds the plan's limits.
  if (rights.prefix.empty()) {
    add(RD_KAFKA_RESOURCE_TOPIC, RD_KAFKA_ACL_OPERATION_ALL);
    add(RD_KAFKA_RESOURCE_GROUP, RD_KAFKA_ACL_OPERATION_ALL);
    add(RD_KAFKA_RESOURCE_BROKER, RD_KAFKA_ACL_OPERATION_DESCRIBE);
    add(RD_KAFKA_RESOURCE_BROKER, RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE);
  } else {
    for (const auto operation : {RD_KAFKA_ACL_OPERATION_READ, RD_KAFKA_ACL_OPERATION_WRITE,
                                 RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS})
      add(RD_KAFKA_RESOURCE_TOPIC, operation);
    add(RD_KAFKA_RESOURCE_GROUP, RD_KAFKA_ACL_OPERATION_READ);
    add(RD_KAFKA_RESOURCE_GROUP, RD_KAFKA_ACL_OPERATION_DELETE);
  }
  if (*why != '\0') return refused(why);
  auto bare = pointers(wanted);
  Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_CREATEACLS);
  rd_kafka_CreateAcls(client_.get(), bare.data(), bare.size(), asked.options(), asked.queue());
  const auto* answer = TRY(asked.answer());
  std::size_t count = 0;
  const auto* const* results = rd_kafka_CreateAcls_result_acls(
      rd_kafka_event_CreateAcls_result(const_cast<rd_kafka_event_t*>(answer)), &count);
  for (std::size_t i = 0; i < count; ++i)
    if (const auto* error = rd_kafka_acl_result_error(results[i]))
      return refused(rd_kafka_error_string(error));
  return {};
}

Result<void> Connection::disallow(const std::string& user) {
  char why[256] = "";
  const Owned<rd_kafka_AclBinding_t> every(rd_kafka_AclBindingFilter_new(
      RD_KAFKA_RESOURCE_ANY, nullptr, RD_KAFKA_RESOURCE_PATTERN_ANY, ("User:" + user).c_str(),
      nullptr, RD_KAFKA_ACL_OPERATION_ANY, RD_KAFKA_ACL_PERMISSION_TYPE_ANY, why, sizeof why));
  if (!every) return refused(why);
  Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_DELETEACLS);
  auto* one = every.get();
  rd_kafka_DeleteAcls(client_.get(), &one, 1, asked.options(), asked.queue());
  const auto* answer = TRY(asked.answer());
  std::size_t count = 0;
  const auto* const* responses = rd_kafka_DeleteAcls_result_responses(
      rd_kafka_event_DeleteAcls_result(const_cast<rd_kafka_event_t*>(answer)), &count);
  for (std::size_t i = 0; i < count; ++i)
    if (const auto* error = rd_kafka_DeleteAcls_result_response_error(responses[i]))
      return refused(rd_kafka_error_string(error));
  return {};
}

Result<std::vector<GroupState>> Connection::groups(const std::string& prefix) {
  std::vector<std::string> names;
  {
    Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS);
    rd_kafka_ListConsumerGroups(client_.get(), asked.options(), asked.queue());
    const auto* answer = TRY(asked.answer());
    std::size_t count = 0;
    const auto* const* found = rd_kafka_ListConsumerGroups_result_valid(
        rd_kafka_event_ListConsumerGroups_result(const_cast<rd_kafka_event_t*>(answer)), &count);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = rd_kafka_ConsumerGroupListing_group_id(found[i]);
      if (name.starts_with(prefix)) names.push_back(name);
    }
  }
  std::vector<GroupState> groups;
  if (names.empty()) return groups;
  std::ranges::sort(names);
  auto bare = c_texts(names);
  Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
  rd_kafka_DescribeConsumerGroups(client_.get(), bare.data(), bare.size(), asked.options(),
                                  asked.queue());
  const auto* answer = TRY(asked.answer());
  std::size_t count = 0;
  const auto* const* found = rd_kafka_DescribeConsumerGroups_result_groups(
      rd_kafka_event_DescribeConsumerGroups_result(const_cast<rd_kafka_event_t*>(answer)), &count);
  for (std::size_t i = 0; i < count; ++i) {
    GroupState group;
    group.name = rd_kafka_ConsumerGroupDescription_group_id(found[i]);
    group.state =
        rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(found[i]));
    group.members = static_cast<int>(rd_kafka_ConsumerGroupDescription_member_count(found[i]));

    Asked positions(client_.get(), RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    const auto of = own(rd_kafka_ListConsumerGroupOffsets_new(group.name.c_str(), nullptr));
    auto* one = of.get();
    rd_kafka_ListConsumerGroupOffsets(client_.get(), &one, 1, positions.options(),
                                      positions.queue());
    const auto* offsets = TRY(positions.answer());
    std::size_t results = 0;
    const auto* const* of_group = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(const_cast<rd_kafka_event_t*>(offsets)),
        &results);
    if (results > 0 && rd_kafka_group_result_error(of_group[0]) == nullptr)
      if (const auto* list = rd_kafka_group_result_partitions(of_group[0]))
        for (int j = 0; j < list->cnt; ++j)
          group.positions.push_back(
              {list->elems[j].topic, list->elems[j].partition, list->elems[j].offset});
    groups.push_back(std::move(group));
  }
  return groups;
}

Result<void> Connection::delete_group(const std::string& name) {
  const auto doomed = own(rd_kafka_DeleteGroup_new(name.c_str()));
  Asked asked(client_.get(), RD_KAFKA_ADMIN_OP_DELETEGROUPS);
  auto* one = doomed.get();
  rd_kafka_DeleteGroups(client_.get(), &one, 1, asked.options(), asked.queue());
  const auto* answer = TRY(asked.answer());
  std::size_t count = 0;
  const auto* const* results = rd_kafka_DeleteGroups_result_groups(
      rd_kafka_event_DeleteGroups_result(const_cast<rd_kafka_event_t*>(answer)), &count);
  for (std::size_t i = 0; i < count; ++i)
    if (const auto* error = rd_kafka_group_result_error(results[i]))
      return refused(rd_kafka_error_string(error));
  return {};
}

}  // namespace renga::kafka
