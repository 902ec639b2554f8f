// 100.64.0.0/10 is renga's own: its lower half is for dynos and builds, its upper for the servers
// of add-ons. An address's first half_bits bits say which.
#pragma once

#include <cstdint>
#include <string_view>

namespace renga::sandbox {

constexpr unsigned half_bits = 11;
constexpr std::uint32_t first_of_dynos = 0x64400000;
constexpr std::uint32_t first_of_services = 0x64600000;
constexpr std::string_view dynos_half = "100.64.0.0/11";
constexpr std::string_view services_half = "100.96.0.0/11";
// Dynos may connect to services' ports from here.
constexpr std::uint16_t first_open_port = 1024;

}  // namespace renga::sandbox
