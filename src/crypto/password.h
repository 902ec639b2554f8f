// Passwords, hashed with argon2id (libsodium's interactive limits). Slow on purpose: tens of
// milliseconds a call. Safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace renga::crypto {

std::string hash_password(std::string_view password);
bool password_matches(std::string_view password, const std::string& hash);

}  // namespace renga::crypto
