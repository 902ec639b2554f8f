#include "server/providers.h"

#include "base/report.h"

namespace renga::server {
namespace {

// A new server that is asked for an add-on in its first second should have it in its catalog.
constexpr std::chrono::seconds longest_wait{5};

}  // namespace

std::vector<addons::BuiltInProvider> built_in_providers() {
  return {
      {"postgresql", "heroku-postgresql"}, {"redis", "heroku-redis"}, {"kafka", "heroku-kafka"}};
}

Providers::Providers(store::Database& database, Clock& clock, const crypto::SecretBox& box,
                     accounts::Accounts& accounts, apps::Apps& apps, releases::Releases& releases,
                     logs::LogStore& logs, logs::Drains& drains, std::filesystem::path directory,
                     const std::string& api_url,
                     std::function<void(const addons::Addon&)> scheduler_gone)
    : provider_(addons::with_own_services(
          addons::http_provider(),
          [this, scheduler_gone = std::move(scheduler_gone)](const std::string& uuid) {
            const auto addon = marketplace_.books.find(Id<addons::Addon>{uuid});
            if (!addon) return;
            // Asked again after a crash, when there may be another already, whose jobs they are.
            for (const auto& other : marketplace_.books.all_on(addon->app))
              if (other.service == addon->service && other.state != addons::State::deprovisioning)
                return;
            scheduler_gone(*addon);
          })),
      marketplace_(database, clock, box, accounts, apps, releases, logs, drains, *provider_,
                   {.api_url = api_url}),
      supervisor_(marketplace_.catalog, {.program = "/proc/self/exe",
                                         .directory = std::move(directory),
                                         .api_url = api_url,
                                         .providers = built_in_providers()}) {}

void Providers::start() {
  if (const auto put = marketplace_.catalog.put(addons::scheduler_manifest()); !put)
    report("addons", "the scheduler: " + put.error().message);
  bool all_known = true;
  for (const auto& provider : built_in_providers())
    all_known = all_known && marketplace_.catalog.service(provider.service).has_value();
  supervisor_.start();
  if (!all_known) supervisor_.wait_until_settled(longest_wait);
  marketplace_.provisioner.start();
}

}  // namespace renga::server
