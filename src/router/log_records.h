// Request log lines on their way from a loop to control: records one behind the other, each
//   at (8 bytes) · length of the app's id (1) · the id · length of the message (4) · the message
// in the machine's byte order, since both ends are on it.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace renga::router {

// `write` appends the message.
template <class Write>
void append_log_record(std::string& records, std::string_view app, std::int64_t at, Write write) {
  const auto app_size = static_cast<unsigned char>(app.size() < 255 ? app.size() : 255);
  std::uint32_t size = 0;
  records.append(reinterpret_cast<const char*>(&at), sizeof at);
  records.push_back(static_cast<char>(app_size));
  records.append(app.substr(0, app_size));
  const auto begin = records.size() + sizeof size;
  records.append(reinterpret_cast<const char*>(&size), sizeof size);
  write(records);
  size = static_cast<std::uint32_t>(records.size() - begin);
  std::memcpy(records.data() + begin - sizeof size, &size, sizeof size);
}

// False when the bytes are no such records; those before the wrong one have been visited.
inline bool for_each_log_record(std::string_view records,
                                const std::function<void(std::string_view app, std::int64_t at,
                                                         std::string_view message)>& visit) {
  while (!records.empty()) {
    std::int64_t at = 0;
    std::uint32_t size = 0;
    if (records.size() < sizeof at + 1) return false;
    std::memcpy(&at, records.data(), sizeof at);
    const std::size_t app_size = static_cast<unsigned char>(records[sizeof at]);
    records.remove_prefix(sizeof at + 1);
    if (records.size() < app_size + sizeof size) return false;
    const auto app = records.substr(0, app_size);
    std::memcpy(&size, records.data() + app_size, sizeof size);
    records.remove_prefix(app_size + sizeof size);
    if (records.size() < size) return false;
    visit(app, at, records.substr(0, size));
    records.remove_prefix(size);
  }
  return true;
}

}  // namespace renga::router
