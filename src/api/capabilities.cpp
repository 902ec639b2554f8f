#include "api/capabilities.h"

#include <fmt/format.h>

#include <stdexcept>

#include "base/text.h"

namespace renga::api {

std::string Capabilities::issue(std::string_view purpose, std::string_view id,
                                std::chrono::seconds lifetime) const {
  const auto sealed = box_.seal(fmt::format("{} {}", to_micros(clock_.now() + lifetime), id),
                                fmt::format("capability/{}", purpose));
  // Base64 as URLs have it: no character that a path would have to escape.
  auto text = text::replace_all(text::replace_all(text::base64(sealed), "+", "-"), "/", "_");
  return text.substr(0, text.find('='));
}

std::optional<std::string> Capabilities::open(std::string_view purpose,
                                              std::string_view capability) const {
  const auto sealed = text::from_base64(
      text::replace_all(text::replace_all(std::string(capability), "-", "+"), "_", "/"));
  if (!sealed) return std::nullopt;
  std::string plain;
  try {
    plain = box_.open(*sealed, fmt::format("capability/{}", purpose));
  } catch (const std::runtime_error&) {
    return std::nullopt;  // strangers may send anything: no fault of the machine
  }
  const auto [until, id] = text::split_once(plain, ' ');
  const auto micros = text::number(until);
  if (!micros || to_micros(clock_.now()) > *micros) return std::nullopt;
  return std::string(id);
}

}  // namespace renga::api
