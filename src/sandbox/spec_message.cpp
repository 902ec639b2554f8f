#include "sandbox/spec_message.h"

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "sandbox/log_frames.h"
#include "sandbox/records.h"

namespace renga::sandbox {
namespace {

constexpr std::size_t most_mounts = 32;

std::string pair_of(std::string_view first, std::string_view second) {
  return std::string(first) + '\0' + std::string(second);
}

bool has_zero(std::string_view text) { return text.find('\0') != std::string_view::npos; }

// An absolute path that means what it says: no "..", no ".", no empty part.
bool is_plain_path(std::string_view path) {
  if (path.size() < 2 || path.front() != '/' || path.size() > 4096 || has_zero(path)) return false;
  const auto parts = text::split(path.substr(1), '/');
  return std::ranges::none_of(
      parts, [](std::string_view part) { return part.empty() || part == "." || part == ".."; });
}

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= 63 && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '-' || c == '_';
  });
}

Result<std::int64_t> number(std::string_view text) {
  const auto value = text::number(text);
  if (!value) return fail(Kind::invalid, "The spawner was sent a number that is none.");
  return *value;
}

}  // namespace

std::string pack(const Spec& spec) {
  std::string message;
  add_record(message, 'i', spec.id);
  add_record(message, 'n', spec.name);
  add_record(message, 's', spec.stack);
  add_record(message, 'u', std::to_string(spec.uid_base));
  add_record(message, 'A', spec.app_directory);
  for (const auto& mount : spec.mounts)
    add_record(message, mount.writable ? 'W' : 'R', pair_of(mount.source, mount.target));
  for (const auto& argument : spec.argv) add_record(message, 'a', argument);
  for (const auto& [name, value] : spec.env) add_record(message, 'e', pair_of(name, value));
  add_record(message, 'd', spec.working_directory);
  add_record(message, 'm', std::to_string(spec.limits.memory_bytes));
  add_record(message, 'c', std::to_string(spec.limits.cpu_weight));
  add_record(message, 'p', std::to_string(spec.limits.pids));
  add_record(message, 'I', spec.address);
  add_record(message, 'l', spec.log_socket);
  add_record(message, 'L', spec.log_secret);
  return message;
}

Result<Spec> unpack(std::string_view message) {
  Spec spec;
  Record record;
  while (next_record(message, record)) {
    const auto bytes = record.bytes;
    switch (record.tag) {
      case 'i':
        spec.id = bytes;
        break;
      case 'n':
        spec.name = bytes;
        break;
      case 's':
        spec.stack = bytes;
        break;
      case 'u': {
        const auto base = TRY(number(bytes));
        if (base < 0 || base > UINT32_MAX) return fail(Kind::invalid, "The uid range is no uid.");
        spec.uid_base = static_cast<std::uint32_t>(base);
        break;
      }
      case 'A':
        spec.app_directory = bytes;
        break;
      case 'W':
      case 'R': {
        const auto [source, target] = text::split_once(bytes, '\0');
        spec.mounts.push_back({std::string(source), std::string(target), record.tag == 'W'});
        break;
      }
      case 'a':
        spec.argv.emplace_back(bytes);
        break;
      case 'e': {
        const auto [name, value] = text::split_once(bytes, '\0');
        spec.env.emplace(name, value);
        break;
      }
      case 'd':
        spec.working_directory = bytes;
        break;
      case 'm':
        spec.limits.memory_bytes = TRY(number(bytes));
        break;
      case 'c':
        spec.limits.cpu_weight =
            static_cast<int>(std::clamp<std::int64_t>(TRY(number(bytes)), 0, 10'001));
        break;
      case 'p':
        spec.limits.pids =
            static_cast<int>(std::clamp<std::int64_t>(TRY(number(bytes)), 0, 4'194'304));
        break;
      case 'I':
        spec.address = bytes;
        break;
      case 'l':
        spec.log_socket = bytes;
        break;
      case 'L':
        spec.log_secret = bytes;
        break;
      default:
        return fail(Kind::invalid, "The spawner was sent a record that it does not know.");
    }
  }
  if (!message.empty()) return fail(Kind::invalid, "The spawner was sent a damaged message.");
  TRY(check(spec));
  return spec;
}

Result<void> check(const Spec& spec) {
  const auto refuse = [&spec](std::string_view why) {
    return fail(Kind::invalid, "Sandbox " + text::printable(spec.name) +
                                   " cannot be started: " + std::string(why) + ".");
  };
  if (!is_uuid(spec.id)) return refuse("its id is no UUID");
  if (!is_host_name(spec.name)) return refuse("its name cannot be a host name");
  if (spec.stack != "host" && !is_plain_path(spec.stack))
    return refuse("there is no stack " + text::printable(spec.stack));
  if (spec.uid_base < 100'000 || spec.uid_base > UINT32_MAX - 2 * 65'536)
    return refuse("its uid range begins below 100000 or too high");
  if (!spec.app_directory.empty() && !is_plain_path(spec.app_directory))
    return refuse("its app directory is no plain absolute path");
  if (spec.mounts.size() > most_mounts) return refuse("it has more than 32 mounts");
  for (const auto& mount : spec.mounts)
    if (!is_plain_path(mount.source) || !is_plain_path(mount.target))
      return refuse("a mount is no plain absolute path");
  if (spec.argv.empty() || spec.argv.front().empty()) return refuse("it has no command");
  if (std::ranges::any_of(spec.argv, has_zero)) return refuse("its command has a zero byte in it");
  for (const auto& [name, value] : spec.env)
    if (name.empty() || name.find('=') != std::string::npos || has_zero(name) || has_zero(value))
      return refuse("the variable " + text::printable(name) +
                    " has no name, or a zero byte, or \"=\" in its name");
  if (spec.working_directory.empty() || spec.working_directory.front() != '/' ||
      has_zero(spec.working_directory))
    return refuse("its working directory is no absolute path");
  if (spec.limits.memory_bytes < (4 << 20)) return refuse("it has less than 4 MiB of memory");
  if (spec.limits.cpu_weight < 1 || spec.limits.cpu_weight > 10'000)
    return refuse("its CPU weight is not between 1 and 10000");
  if (spec.limits.pids < 2) return refuse("it may have less than 2 processes");
  if (!spec.log_socket.empty() && !is_plain_path(spec.log_socket))
    return refuse("its log socket is no plain absolute path");
  if (!spec.log_socket.empty() && spec.log_socket.size() - spec.log_socket.rfind('/') > 64)
    return refuse("the name of its log socket is longer than 63 bytes");
  if (spec.log_secret.find_first_of(std::string_view("\n\0 ", 3)) != std::string::npos ||
      spec.id.size() + spec.log_secret.size() + 2 > longest_log_greeting)
    return refuse("its log secret is too long, or has a space or an end of line in it");
  return {};
}

}  // namespace renga::sandbox
