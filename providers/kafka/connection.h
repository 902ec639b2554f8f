// Connection: librdkafka, owned, to one broker, as one identity. Belongs to one thread at a time.
// Every call ends within about 10 s. What Kafka refuses is Kind::invalid with its reason;
// Kind::unavailable: no answer.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

struct rd_kafka_s;
struct rd_kafka_ConfigResource_s;

namespace renga::kafka {

// PEM texts.
struct Identity {
  std::string authority, certificate, key;
};

// What a user may do with the things whose names begin so; an empty prefix: with all of them.
struct Rights {
  std::string user, prefix;
};

struct TopicState {
  std::string name;
  int partitions = 0;
};

// Settings that differ from the broker's: "retention.ms", …
using Settings = std::map<std::string, std::string>;

struct Watermarks {
  std::int64_t low = 0, high = 0;  // the first message's offset, and the next one's
};

struct GroupState {
  std::string name, state;
  int members = 0;
  struct Position {
    std::string topic;
    int partition = 0;
    std::int64_t offset = 0;
  };
  std::vector<Position> positions;
};

struct Message {
  int partition = 0;
  std::int64_t offset = 0, at_ms = 0;
  std::optional<std::string> key, value;
};

class Connection {
 public:
  enum class Purpose { produce, consume };
  // "100.96.0.9:9096", which may take up to `limit` to answer. Administrates either way.
  static Result<Connection> open(const std::string& address, const Identity& identity,
                                 Purpose purpose, std::chrono::milliseconds limit);

  // Those whose names begin with it, without Kafka's own.
  Result<std::vector<TopicState>> topics(const std::string& prefix);
  Result<void> create_topic(const TopicState& topic, const Settings& settings);
  Result<void> delete_topics(const std::vector<std::string>& names);
  Result<void> add_partitions(const std::string& topic, int count);
  Result<std::map<std::string, Settings>> settings(const std::vector<std::string>& topics);
  // In the place of all that differed so far.
  Result<void> set(const std::map<std::string, Settings>& topics);
  // The broker's own, which it takes up while it runs.
  Result<void> set_broker(const Settings& settings);
  Result<Watermarks> watermarks(const std::string& topic, int partition);

  Result<void> allow(const Rights& rights);
  Result<void> disallow(const std::string& user);

  Result<std::vector<GroupState>> groups(const std::string& prefix);
  Result<void> delete_group(const std::string& name);

  // The message as it was written down. A partition is chosen by the key when it is not given.
  Result<Message> write(const std::string& topic, std::optional<int> partition,
                        const std::optional<std::string>& key, const std::string& value);
  // What is behind these positions, by partition, which move along; at most `most` bytes, waiting
  // up to `wait` for the first message. None means that there is none: a broker that has not said
  // so in 10 s is Kind::unavailable.
  Result<std::vector<Message>> read(const std::string& topic,
                                    std::map<int, std::int64_t>& positions, std::size_t most,
                                    std::chrono::milliseconds wait);

 private:
  Result<void> alter(const std::vector<rd_kafka_ConfigResource_s*>& resources);
  struct Free {
    void operator()(rd_kafka_s* client) const;
  };
  std::unique_ptr<rd_kafka_s, Free> client_;
};

}  // namespace renga::kafka
