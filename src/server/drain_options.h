// How this server delivers log drains and webhooks, by its environment: RENGA_ALLOW_DRAINS lists
// networks that they may reach besides the public internet, SSL_CERT_FILE the certificates that are
// trusted.
#pragma once

#include "logs/drain_courier.h"

namespace renga::server {

Result<logs::DrainCourierOptions> drain_options();

}  // namespace renga::server
