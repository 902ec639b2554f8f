// Topics: what people do with the topics and consumer groups of a cluster, within its plan's
// limits. Names are the cluster's own: without its prefix. Safe from any thread; nothing is
// remembered but the last counts, for rates.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/locked.h"
#include "kafka/clusters.h"

namespace renga::kafka {

struct Topic {
  std::string name;
  int partitions = 0;
  bool compaction = false;
  std::optional<Retention> retention;    // nothing: for ever
  std::int64_t bytes = 0, messages = 0;  // that are there now
  double messages_per_second = 0, bytes_per_second = 0;
};

struct TopicChange {
  std::optional<int> partitions;
  std::optional<bool> compaction;
  // Of a change: nothing stays as it is; of a new topic: the default. A pair of (given, value).
  bool retention_given = false;
  std::optional<Retention> retention;
};

class Topics {
 public:
  explicit Topics(Clusters& clusters) : clusters_(clusters) {}

  Result<std::vector<Topic>> all(const Cluster& cluster);
  Result<void> create(const Cluster& cluster, const std::string& name, const TopicChange& change);
  Result<void> change(const Cluster& cluster, const std::string& name, const TopicChange& change);
  Result<void> destroy(const Cluster& cluster, const std::string& name);
  // Has what all topics keep fit into the plan: each partition gets an equal share.
  Result<void> fit(const Cluster& cluster);

  struct Lag {
    std::string topic;
    int partition = 0;
    std::int64_t offset = 0, behind = 0;
  };
  struct Group {
    std::string name, state;
    int members = 0;
    std::vector<Lag> lags;
  };
  Result<std::vector<Group>> groups(const Cluster& cluster);
  Result<void> destroy_group(const Cluster& cluster, const std::string& name);

  Result<Message> write(const Cluster& cluster, const std::string& name,
                        std::optional<int> partition, const std::optional<std::string>& key,
                        const std::string& value);
  // From these positions on, which move along; without any, from `back` messages before the end of
  // each partition (all of them when it is negative).
  Result<std::vector<Message>> read(const Cluster& cluster, const std::string& name,
                                    std::map<int, std::int64_t>& positions, std::int64_t back,
                                    std::chrono::milliseconds wait);

 private:
  struct Count {
    std::chrono::steady_clock::time_point at;
    std::int64_t messages = 0, bytes = 0;
    double messages_per_second = 0, bytes_per_second = 0;
  };
  Result<TopicState> found(Connection& connection, const Cluster& cluster, const std::string& name);
  Result<Settings> terms(const Cluster& cluster, const TopicChange& change, Settings settings);
  Result<void> fit(Connection& connection, const Cluster& cluster);
  void count(const Cluster& cluster, Topic& topic, std::int64_t written);

  Clusters& clusters_;
  Locked<std::map<std::string, Count>> counts_;  // by cluster and topic
};

}  // namespace renga::kafka
