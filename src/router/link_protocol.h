// What a router says of itself when control connects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace renga::router {

// Raised with every change that an older control or router would misunderstand: control then has
// the old router hand over to one of its own program.
inline constexpr int protocol_version = 4;

struct Hello {
  int version = 0;
  int pid = 0;
  std::string http;     // HOST:PORT as it was asked for
  std::string address;  // HOST:PORT where it serves
  // The same of https; empty: it does not serve that.
  std::string https;
  std::string https_address;
  std::size_t http_sockets =
      0;  // so many of the sockets that come along are http's, the rest https's
  std::uint64_t generation = 0;
};

std::string to_json(const Hello& hello);
Result<Hello> parse_hello(std::string_view json);

}  // namespace renga::router
