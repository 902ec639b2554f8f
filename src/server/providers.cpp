#include "server/providers.h"

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
                     logs::LogStore& logs, std::filesystem::path directory,
                     const std::string& api_url)
    : marketplace_(database, clock, box, accounts, apps, releases, logs, *provider_,
                   {.api_url = api_url}),
      supervisor_(marketplace_.catalog, {.program = "/proc/self/exe",
                                         .directory = std::move(directory),
                                         .api_url = api_url,
                                         .providers = built_in_providers()}) {}

void Providers::start() {
  bool all_known = true;
  for (const auto& provider : built_in_providers())
    all_known = all_known && marketplace_.catalog.service(provider.service).has_value();
  supervisor_.start();
  if (!all_known) supervisor_.wait_until_settled(longest_wait);
  marketplace_.provisioner.start();
}

}  // namespace renga::server
