// What a password must be.
#pragma once

#include <string_view>

#include "base/result.h"

namespace renga::accounts {

constexpr std::size_t shortest_password = 8;
constexpr std::size_t longest_password = 1024;

inline Result<void> check_password(std::string_view password) {
  if (password.size() < shortest_password)
    return fail(Kind::invalid, "The password is too short. Choose one of at least 8 characters.");
  if (password.size() > longest_password)
    return fail(Kind::invalid, "The password is too long. Choose one of at most 1,024 bytes.");
  return {};
}

}  // namespace renga::accounts
