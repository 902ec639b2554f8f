#include "postgresql/postgresql.h"

#include "base/workers.h"
#include "postgresql/backups.h"
#include "postgresql/data_api.h"
#include "postgresql/migrations.h"

extern "C" {
extern const char renga_postgresql_manifest[];
extern const char renga_postgresql_manifest_end[];
}

namespace renga::postgresql {
namespace {

class PostgreSql final : public provider::Provider {
 public:
  explicit PostgreSql(const provider::Surroundings& surroundings)
      : clusters_(surroundings,
                  [this](const provider::Server& server) { databases_.moved(server.id); }),
        databases_(surroundings, clusters_),
        backups_(surroundings, databases_),
        data_(databases_, backups_, surroundings),
        tidying_("postgresql", [this] { return databases_.tidy(); }) {}

  void start() override {
    clusters_.start();
    backups_.start();
    tidying_.start();
  }

  Result<provider::Provisioned> provision(const provider::Resource& resource) override {
    auto made = databases_.provision(resource);
    if (made && made->later) tidying_.poke();
    return made;
  }
  Result<provider::Provisioned> change_plan(const std::string& uuid,
                                            const std::string& plan) override {
    return databases_.change_plan(uuid, plan);
  }
  Result<void> deprovision(const std::string& uuid) override {
    return databases_.deprovision(uuid);
  }
  Result<provider::json::value> data(const provider::DataCall& call) override {
    return data_.answer(call);
  }
  std::optional<http::Response> download(const std::string& secret) override {
    return data_.download(secret);
  }
  Result<std::vector<std::pair<std::string, std::string>>> dashboard(
      const std::string& uuid) override {
    return data_.info(TRY(databases_.find(uuid)));
  }

 private:
  Clusters clusters_;
  Databases databases_;
  Backups backups_;
  DataApi data_;
  Workers tidying_;
};

std::optional<std::string> unsupported() {
  if (!programs().empty()) return std::nullopt;
  return "PostgreSQL is not installed: apt-get install postgresql";
}

}  // namespace

const provider::Program& program() {
  static const provider::Program it{
      .name = "postgresql",
      .manifest = {renga_postgresql_manifest,
                   static_cast<std::size_t>(renga_postgresql_manifest_end -
                                            renga_postgresql_manifest)},
      .unsupported = unsupported,
      .migrations = migrations(),
      .make =
          [](const provider::Surroundings& surroundings) -> std::unique_ptr<provider::Provider> {
        return std::make_unique<PostgreSql>(surroundings);
      }};
  return it;
}

}  // namespace renga::postgresql
