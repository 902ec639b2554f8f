#include "server/drain_options.h"

#include <cstdlib>

namespace renga::server {
namespace {
std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}
}  // namespace

Result<logs::DrainCourierOptions> drain_options() {
  auto networks = net::Destinations::parse(from_environment("RENGA_ALLOW_DRAINS"));
  if (!networks)
    return fail(Kind::invalid, "RENGA_ALLOW_DRAINS cannot be used: " + networks.error().message);
  logs::DrainCourierOptions options;
  options.destinations = *std::move(networks);
  options.ca_file = from_environment("SSL_CERT_FILE");
  return options;
}

}  // namespace renga::server
