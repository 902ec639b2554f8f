// DataApi: /data/kafka/v0, as Heroku's kafka plugin speaks it, and renga's own calls to read and
// write messages, which the plugin does itself over the network. Safe from any thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kafka/topics.h"
#include "provider/provider.h"

namespace renga::kafka {

class DataApi {
 public:
  DataApi(Clusters& clusters, Topics& topics) : clusters_(clusters), topics_(topics) {}

  Result<provider::json::value> answer(const provider::DataCall& call);
  // Rows for the page that `addons:open` shows.
  Result<std::vector<std::pair<std::string, std::string>>> dashboard(const Cluster& cluster);

 private:
  Result<provider::json::value> described(const Cluster& cluster);
  Result<provider::json::value> topics(const provider::DataCall& call, const Cluster& cluster);
  Result<provider::json::value> messages(const provider::DataCall& call, const Cluster& cluster,
                                         const std::string& topic);
  Result<provider::json::value> groups(const provider::DataCall& call, const Cluster& cluster);

  Clusters& clusters_;
  Topics& topics_;
};

}  // namespace renga::kafka
