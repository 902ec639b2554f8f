#include "kafka/topics.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "base/text.h"

namespace renga::kafka {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr int default_partitions = 8;
constexpr std::size_t longest_name = 200, longest_message = 512 << 10, largest_read = 512 << 10;
constexpr std::chrono::seconds between_counts{5}, shown_limit{10};

Result<void> check_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!name.empty() && name.size() <= longest_name && name != "." && name != ".." &&
      !name.starts_with("__") && std::ranges::all_of(name, allowed))
    return {};
  return fail(Kind::invalid,
              "A topic's name is 1 to 200 letters, digits, dots, dashes and underscores, and does "
              "not begin with two underscores.");
}

std::optional<Retention> retention_in(const Settings& settings) {
  const auto found = settings.find("retention.ms");
  const auto value = found == settings.end() ? std::nullopt : text::number(found->second);
  if (!value) return default_retention;
  return *value < 0 ? std::nullopt : std::optional(Retention(*value));
}

bool compacted(const Settings& settings) {
  const auto found = settings.find("cleanup.policy");
  return found != settings.end() && found->second.contains("compact");
}

std::string hours(Retention retention) {
  return fmt::format("{} hours", std::chrono::duration_cast<std::chrono::hours>(retention).count());
}

// What the controller has done, the broker shows a moment later. Until then a topic that was just
// made would be no topic to whoever writes to it, and have no share of the plan's capacity.
// `partitions`: it has so many at least, or, 0, is gone.
Result<void> until_shown(Connection& connection, const std::string& name, int partitions) {
  const auto deadline = Steady::now() + shown_limit;
  while (true) {
    const auto topics = TRY(connection.topics(name));
    const auto found = std::ranges::find(topics, name, &TopicState::name);
    const int shown = found == topics.end() ? 0 : found->partitions;
    if (partitions == 0 ? shown == 0 : shown >= partitions) return {};
    if (Steady::now() > deadline)
      return fail(Kind::unavailable, "It is done, and the Kafka broker does not show it yet.");
    poll(nullptr, 0, 20);
  }
}

}  // namespace

// A full name says whose it is as well, so people may write it too.
Result<TopicState> Topics::found(Connection& connection, const Cluster& cluster,
                                 const std::string& name) {
  for (auto& topic : TRY(connection.topics(cluster.prefix)))
    if (topic.name == cluster.prefix + name || topic.name == name) return std::move(topic);
  return fail(Kind::not_found, fmt::format("{} has no topic {}.", cluster.name,
                                           text::printable(name.substr(0, longest_name))));
}

Result<std::vector<Topic>> Topics::all(const Cluster& cluster) {
  auto connection = TRY(clusters_.brokers().administer(cluster.server));
  const auto states = TRY(connection.topics(cluster.prefix));
  std::vector<std::string> names;
  for (const auto& state : states) names.push_back(state.name);
  const auto settings = TRY(connection.settings(names));
  const auto sizes = clusters_.brokers().sizes(cluster.server);
  std::vector<Topic> topics;
  for (const auto& state : states) {
    const auto its = settings.find(state.name);
    const auto its_settings = its == settings.end() ? Settings{} : its->second;
    Topic topic{.name = state.name.substr(cluster.prefix.size()),
                .partitions = state.partitions,
                .compaction = compacted(its_settings),
                .retention = retention_in(its_settings)};
    std::int64_t written = 0;
    for (int partition = 0; partition < state.partitions; ++partition) {
      const auto marks = connection.watermarks(state.name, partition);
      if (!marks) continue;  // it is being made, or gone
      topic.messages += marks->high - marks->low;
      written += marks->high;
    }
    if (const auto size = sizes.find(state.name); size != sizes.end()) topic.bytes = size->second;
    count(cluster, topic, written);
    topics.push_back(std::move(topic));
  }
  return topics;
}

// Rates are of the time since somebody last looked.
void Topics::count(const Cluster& cluster, Topic& topic, std::int64_t written) {
  auto counts = counts_.lock();
  const auto now = Steady::now();
  // Of topics that are gone.
  std::erase_if(*counts,
                [&](const auto& one) { return now - one.second.at > std::chrono::hours(1); });
  auto& last = (*counts)[cluster.uuid + "/" + topic.name];
  if (last.at == Steady::time_point{}) {
    last = {now, written, topic.bytes, 0, 0};
  } else if (now - last.at >= between_counts) {
    const auto seconds = std::chrono::duration<double>(now - last.at).count();
    const auto rate = [&](std::int64_t since, std::int64_t until) {
      return std::max(0.0, static_cast<double>(until - since) / seconds);
    };
    last = {now, written, topic.bytes, rate(last.messages, written), rate(last.bytes, topic.bytes)};
  }
  topic.messages_per_second = last.messages_per_second;
  topic.bytes_per_second = last.bytes_per_second;
}

Result<Settings> Topics::terms(const Cluster& cluster, const TopicChange& change,
                               Settings settings) {
  const auto& plan = cluster.terms();
  auto retention = change.retention_given ? change.retention : retention_in(settings);
  const bool compaction = change.compaction.value_or(compacted(settings));
  if (!retention && (!compaction || !plan.dedicated))
    return fail(
        Kind::invalid,
        plan.dedicated
            ? "A topic without a retention time needs compaction, or it would grow for ever."
            : "A topic on a shared broker needs a retention time.");
  if (retention && (*retention < shortest_retention || *retention > longest(plan)))
    return fail(Kind::invalid, fmt::format("On {} messages are kept for {} to {}.", plan.title,
                                           hours(shortest_retention), hours(longest(plan))));
  settings["retention.ms"] = std::to_string(retention ? retention->count() : -1);
  settings["cleanup.policy"] = !compaction ? "delete" : retention ? "compact,delete" : "compact";
  return settings;
}

Result<void> Topics::create(const Cluster& cluster, const std::string& name,
                            const TopicChange& change) {
  TRY(check_name(name));
  const auto& plan = cluster.terms();
  const auto partitions = change.partitions.value_or(default_partitions);
  if (partitions < 1 || partitions > plan.partitions)
    return fail(Kind::invalid,
                fmt::format("A topic on {} has 1 to {} partitions.", plan.title, plan.partitions));
  auto connection = TRY(clusters_.brokers().administer(cluster.server));
  const auto there = TRY(connection.topics(cluster.prefix));
  int sum = partitions;
  for (const auto& topic : there) {
    if (topic.name == cluster.prefix + name)
      return fail(Kind::invalid, fmt::format("{} has a topic {} already.", cluster.name, name));
    sum += topic.partitions;
  }
  if (plan.topics > 0 && std::cmp_greater_equal(there.size(), plan.topics))
    return fail(Kind::invalid, fmt::format("{} has room for {} topics.", plan.title, plan.topics));
  if (sum > plan.partitions)
    return fail(Kind::invalid,
                fmt::format("{} has room for {} partitions; with this topic there would be {}.",
                            plan.title, plan.partitions, sum));
  TRY(connection.create_topic({cluster.prefix + name, partitions},
                              TRY(terms(cluster, change, {}))));
  TRY(until_shown(connection, cluster.prefix + name, partitions));
  return fit(connection, cluster);
}

Result<void> Topics::change(const Cluster& cluster, const std::string& name,
                            const TopicChange& change) {
  auto connection = TRY(clusters_.brokers().administer(cluster.server));
  const auto topic = TRY(found(connection, cluster, name));
  if (change.partitions && *change.partitions != topic.partitions) {
    const auto& plan = cluster.terms();
    int sum = *change.partitions - topic.partitions;
    for (const auto& other : TRY(connection.topics(cluster.prefix))) sum += other.partitions;
    if (*change.partitions < topic.partitions)
      return fail(Kind::invalid, "A topic's partitions can become more, and not fewer.");
    if (sum > plan.partitions)
      return fail(Kind::invalid,
                  fmt::format("{} has room for {} partitions.", plan.title, plan.partitions));
    TRY(connection.add_partitions(topic.name, *change.partitions));
    TRY(until_shown(connection, topic.name, *change.partitions));
  }
  auto settings = TRY(connection.settings({topic.name}));
  settings[topic.name] = TRY(terms(cluster, change, settings[topic.name]));
  TRY(connection.set(settings));
  return fit(connection, cluster);
}

Result<void> Topics::destroy(const Cluster& cluster, const std::string& name) {
  auto connection = TRY(clusters_.brokers().administer(cluster.server));
  const auto topic = TRY(found(connection, cluster, name));
  TRY(connection.delete_topics({topic.name}));
  TRY(until_shown(connection, topic.name, 0));
  return fit(connection, cluster);
}

Result<void> Topics::fit(const Cluster& cluster) {
  auto connection = TRY(clusters_.brokers().administer(cluster.server));
  return fit(connection, cluster);
}

// Kafka removes whole segments, and never the one that is written to; so they are a quarter of the
// share at most.
Result<void> Topics::fit(Connection& connection, const Cluster& cluster) {
  const auto topics = TRY(connection.topics(cluster.prefix));
  std::vector<std::string> names;
  std::int64_t partitions = 0;
  for (const auto& topic : topics) {
    names.push_back(topic.name);
    partitions += topic.partitions;
  }
  if (names.empty()) return {};
  const auto share = cluster.terms().capacity / std::max<std::int64_t>(partitions, 1);
  const auto segment = std::clamp<std::int64_t>(share / 4, megabyte, gigabyte);
  auto settings = TRY(connection.settings(names));
  std::map<std::string, Settings> changed;
  for (auto& [name, now] : settings) {
    auto wanted = now;
    wanted["retention.bytes"] = std::to_string(share);
    wanted["segment.bytes"] = std::to_string(segment);
    if (wanted != now) changed[name] = std::move(wanted);
  }
  return connection.set(changed);
}

Result<std::vector<Topics::Group>> Topics::groups(const Cluster& cluster) {
  auto connection = TRY(clusters_.brokers().administer(cluster.server));
  std::vector<Group> groups;
  std::map<std::pair<std::string, int>, std::int64_t> ends;
  for (const auto& state : TRY(connection.groups(cluster.prefix))) {
    Group group{state.name.substr(cluster.prefix.size()), state.state, state.members, {}};
    for (const auto& position : state.positions) {
      if (!position.topic.starts_with(cluster.prefix) || position.offset < 0) continue;
      const std::pair place(position.topic, position.partition);
      if (!ends.contains(place)) {
        const auto marks = connection.watermarks(position.topic, position.partition);
        if (!marks) continue;
        ends[place] = marks->high;
      }
      group.lags.push_back({position.topic.substr(cluster.prefix.size()), position.partition,
                            position.offset,
                            std::max<std::int64_t>(0, ends[place] - position.offset)});
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

Result<void> Topics::destroy_group(const Cluster& cluster, const std::string& name) {
  auto connection = TRY(clusters_.brokers().administer(cluster.server));
  for (const auto& group : TRY(connection.groups(cluster.prefix)))
    if (group.name == cluster.prefix + name || group.name == name) {
      if (group.members > 0)
        return fail(Kind::invalid, fmt::format("{} has {} members: end these consumers first.",
                                               name, group.members));
      return connection.delete_group(group.name);
    }
  return fail(Kind::not_found, fmt::format("{} has no consumer group {}.", cluster.name,
                                           text::printable(name.substr(0, longest_name))));
}

Result<Message> Topics::write(const Cluster& cluster, const std::string& name,
                              std::optional<int> partition, const std::optional<std::string>& key,
                              const std::string& value) {
  if (value.size() + (key ? key->size() : 0) > longest_message)
    return fail(Kind::too_large, "A message that is written so may take 512 KiB.");
  auto connection = TRY(clusters_.brokers().administer(cluster.server));
  const auto topic = TRY(found(connection, cluster, name));
  if (partition && (*partition < 0 || *partition >= topic.partitions))
    return fail(Kind::invalid,
                fmt::format("{} has the partitions 0 to {}.", name, topic.partitions - 1));
  return connection.write(topic.name, partition, key, value);
}

Result<std::vector<Message>> Topics::read(const Cluster& cluster, const std::string& name,
                                          std::map<int, std::int64_t>& positions, std::int64_t back,
                                          milliseconds wait) {
  auto connection = TRY(clusters_.brokers().consumer(cluster.server));
  const auto topic = TRY(found(connection, cluster, name));
  for (const auto& [partition, offset] : positions)
    if (partition < 0 || partition >= topic.partitions || offset < 0)
      return fail(Kind::invalid, "There are no messages at that place of the topic.");
  for (int partition = 0; partition < topic.partitions; ++partition) {
    const bool given = positions.contains(partition);
    const auto marks = TRY(connection.watermarks(topic.name, partition));
    // A place that retention has removed meanwhile: from what there is.
    if (given)
      positions[partition] = std::clamp(positions[partition], marks.low, marks.high);
    else
      positions[partition] = back < 0 ? marks.low : std::max(marks.low, marks.high - back);
  }
  return connection.read(topic.name, positions, largest_read, wait);
}

}  // namespace renga::kafka
