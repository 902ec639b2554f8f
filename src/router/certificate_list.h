// The certificates as control sends them to the router: JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/tls_server.h"

namespace renga::router {

std::string to_json(const std::vector<net::NamedCertificate>& certificates);
Result<std::vector<net::NamedCertificate>> parse_certificates(std::string_view json);

}  // namespace renga::router
