// The text of tokens. Private to accounts/.
#pragma once

#include <cstddef>
#include <string>

namespace renga::accounts {

// Of a token's first characters, which tell its owner's tokens apart: 5 of these are random.
inline constexpr std::size_t hint_size = 12;

// "HRKU-AA" and 58 random characters.
std::string make_token();

}  // namespace renga::accounts
