// The data API's side of kafka:*: which cluster, and calls below it.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "cli/command.h"

namespace renga::cli {

struct KafkaCluster {
  std::string name;  // the add-on's
  std::string path;  // "/data/kafka/v0/clusters/<id>"
  std::string app;
};

// Named by the argument at `index`, or the app's KAFKA.
Result<KafkaCluster> kafka_cluster(Context& context, std::size_t index);
// The argument at the front, or a refusal that says what is missing.
Result<std::string> kafka_name(Context& context, std::string_view what);
// One of its topics as the API describes it.
Result<boost::json::value> kafka_topic(Context& context, const KafkaCluster& cluster,
                                       const std::string& name);
// "4.2 GB"
std::string amount_of(std::int64_t bytes);
// "36 hours", "10 days"
std::string duration_text(std::int64_t milliseconds);
// "10d", "36h", "90m" in milliseconds; Kind::invalid otherwise.
Result<std::int64_t> parse_duration(const std::string& text);

}  // namespace renga::cli
