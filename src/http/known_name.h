// Known: which of the fields that somebody asks for a field is. Found once, when the head is
// parsed; so whoever asks compares numbers, and asks no field where the head has none of the kind.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace renga::http {

enum class Known : std::uint8_t {
  other,
  alias,  // one of the router's names, spelt with an underscore: see is_alias() in known_name.cpp
  connection,
  content_length,
  cookie,
  date,
  expect,
  host,
  http2_settings,
  keep_alive,
  proxy,
  proxy_authorization,
  proxy_connection,
  server,
  set_cookie,
  te,
  trailer,
  transfer_encoding,
  upgrade,
  via,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_port,
  x_forwarded_proto,
  x_request_id,
  x_request_start,
};

struct KnownName {
  std::string_view text;  // in lower case
  Known known;
};

inline constexpr std::array<KnownName, 24> known_names = {{
    {"connection", Known::connection},
    {"content-length", Known::content_length},
    {"cookie", Known::cookie},
    {"date", Known::date},
    {"expect", Known::expect},
    {"host", Known::host},
    {"http2-settings", Known::http2_settings},
    {"keep-alive", Known::keep_alive},
    {"proxy", Known::proxy},
    {"proxy-authorization", Known::proxy_authorization},
    {"proxy-connection", Known::proxy_connection},
    {"server", Known::server},
    {"set-cookie", Known::set_cookie},
    {"te", Known::te},
    {"trailer", Known::trailer},
    {"transfer-encoding", Known::transfer_encoding},
    {"upgrade", Known::upgrade},
    {"via", Known::via},
    {"x-forwarded-for", Known::x_forwarded_for},
    {"x-forwarded-host", Known::x_forwarded_host},
    {"x-forwarded-port", Known::x_forwarded_port},
    {"x-forwarded-proto", Known::x_forwarded_proto},
    {"x-request-id", Known::x_request_id},
    {"x-request-start", Known::x_request_start},
}};

class KnownSet {
 public:
  constexpr KnownSet() = default;
  constexpr KnownSet(std::initializer_list<Known> all) {
    for (const auto one : all) add(one);
  }
  constexpr void add(Known one) { bits_ |= bit(one); }
  constexpr bool has(Known one) const { return (bits_ & bit(one)) != 0; }
  constexpr KnownSet with(KnownSet others) const {
    others.bits_ |= bits_;
    return others;
  }

 private:
  static constexpr std::uint64_t bit(Known one) {
    return std::uint64_t{1} << static_cast<unsigned>(one);
  }
  std::uint64_t bits_ = 0;
};

namespace detail {

// Of the names that begin with a letter, whatever its case, their lengths as bits.
constexpr auto lengths_by_letter = [] {
  std::array<std::uint32_t, 32> lengths{};
  for (const auto& name : known_names) {
    auto& bits = lengths[static_cast<unsigned char>(name.text.front()) & 31];
    bits |= std::uint32_t{1} << name.text.size();
  }
  return lengths;
}();

Known look_up(std::string_view name);

}  // namespace detail

// Without regard to case. The name is not empty.
inline Known known_of(std::string_view name) {
  // Nearly all others are told apart by this; known ones are looked at as a whole.
  const auto lengths = detail::lengths_by_letter[static_cast<unsigned char>(name.front()) & 31];
  if (name.size() >= 32 || (lengths >> name.size() & 1) == 0) return Known::other;
  return detail::look_up(name);
}

}  // namespace renga::http
