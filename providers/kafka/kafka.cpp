#include "kafka/kafka.h"

#include "base/report.h"
#include "base/workers.h"
#include "kafka/data_api.h"
#include "kafka/java.h"
#include "kafka/migrations.h"

extern "C" {
extern const char renga_kafka_manifest[];
extern const char renga_kafka_manifest_end[];
}

namespace renga::kafka {
namespace {

constexpr std::chrono::minutes tidy_every{5};
constexpr std::chrono::seconds soon{1};

class Kafka final : public provider::Provider {
 public:
  explicit Kafka(const provider::Surroundings& surroundings)
      : clusters_(surroundings),
        topics_(clusters_),
        data_(clusters_, topics_),
        tidying_("kafka", [this] { return tidy(); }) {}

  void start() override {
    clusters_.start();
    tidying_.start();
  }

  Result<provider::Provisioned> provision(const provider::Resource& resource) override {
    auto made = clusters_.provision(resource);
    if (made && made->later) tidying_.poke();
    return made;
  }
  Result<provider::Provisioned> change_plan(const std::string& uuid,
                                            const std::string& plan) override {
    auto changed = TRY(clusters_.change_plan(uuid, plan));
    TRY(topics_.fit(TRY(clusters_.find(uuid))));
    return changed;
  }
  Result<void> deprovision(const std::string& uuid) override { return clusters_.deprovision(uuid); }
  Result<provider::json::value> data(const provider::DataCall& call) override {
    return data_.answer(call);
  }
  Result<std::vector<std::pair<std::string, std::string>>> dashboard(
      const std::string& uuid) override {
    return data_.dashboard(TRY(clusters_.find(uuid)));
  }

 private:
  Duration tidy() {
    const bool settled = clusters_.tidy();
    fit_topics();
    return settled ? Duration(tidy_every) : Duration(soon);
  }

  // On brokers of their own, apps make topics without asking us.
  void fit_topics() {
    for (const auto& cluster : clusters_.all()) {
      if (cluster.state != "available" || !cluster.terms().dedicated) continue;
      if (const auto fitted = topics_.fit(cluster); !fitted)
        report("kafka", cluster.name + ": " + fitted.error().message);
    }
  }

  Clusters clusters_;
  Topics topics_;
  DataApi data_;
  Workers tidying_;
};

std::optional<std::string> unsupported() {
  if (Java::find()) return std::nullopt;
  return "Kafka needs Java 17 or later: apt-get install default-jre-headless";
}

}  // namespace

const provider::Program& program() {
  static const provider::Program it{
      .name = "kafka",
      .manifest = {renga_kafka_manifest,
                   static_cast<std::size_t>(renga_kafka_manifest_end - renga_kafka_manifest)},
      .unsupported = unsupported,
      .migrations = migrations(),
      .make = [](const provider::Surroundings& surroundings)
          -> std::unique_ptr<provider::Provider> { return std::make_unique<Kafka>(surroundings); }};
  return it;
}

}  // namespace renga::kafka
