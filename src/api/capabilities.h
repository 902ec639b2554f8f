// Capabilities: URLs that need no token, since they carry one: what they allow, for what, and until
// when, sealed with the data directory's key. Nothing is kept, so they outlive a restart.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "crypto/secret_box.h"

namespace renga::api {

class Capabilities {
 public:
  Capabilities(const crypto::SecretBox& box, Clock& clock) : box_(box), clock_(clock) {}

  // For a path segment. `purpose`: "slug.put"; `id`: of what.
  std::string issue(std::string_view purpose, std::string_view id,
                    std::chrono::seconds lifetime) const;
  // The id, or nothing: not ours, for another purpose, or expired.
  std::optional<std::string> open(std::string_view purpose, std::string_view capability) const;

 private:
  const crypto::SecretBox& box_;
  Clock& clock_;
};

}  // namespace renga::api
