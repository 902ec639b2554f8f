#include "accounts/token_text.h"

#include <array>

#include "base/random.h"

namespace renga::accounts {

// 58 characters of 6 random bits each: 348 bits, far past guessing, so that a plain SHA-256 without
// salt or cost is enough to keep them by.
std::string make_token() {
  static constexpr char alphabet[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
  static_assert(sizeof alphabet == 65);
  std::array<unsigned char, 58> random{};
  fill_random(random);
  std::string token = "HRKU-AA";
  for (const auto byte : random) token += alphabet[byte & 63];
  return token;
}

}  // namespace renga::accounts
