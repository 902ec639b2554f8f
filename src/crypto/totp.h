// Time-based one-time passwords (RFC 6238), as authenticator apps make them: SHA-1, six digits,
// thirty seconds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace renga::crypto {

// Twenty random bytes, the size that RFC 4226 recommends.
std::string totp_secret();
// For people to type and for otpauth:// URLs: RFC 4648, without padding.
std::string base32(std::string_view bytes);

// Which half minute since 1970.
std::int64_t totp_step(Time now);
std::string totp_code(std::string_view secret, std::int64_t step);

}  // namespace renga::crypto
