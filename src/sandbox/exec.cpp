#include "sandbox/exec.h"

#include <algorithm>

#include "base/id.h"
#include "base/text.h"
#include "sandbox/records.h"

namespace renga::sandbox {
namespace {

bool has_zero(std::string_view text) { return text.find('\0') != std::string_view::npos; }

Result<void> check(const Exec& exec) {
  const auto refuse = [](std::string_view why) {
    return fail(Kind::invalid, "The command cannot be run: " + std::string(why) + ".");
  };
  if (!is_uuid(exec.id)) return refuse("its sandbox's id is no UUID");
  if (exec.forward_port < 0 || exec.forward_port > 65'535) return refuse("there is no such port");
  if (exec.argv.empty() || exec.argv.front().empty()) return refuse("it is empty");
  if (std::ranges::any_of(exec.argv, has_zero)) return refuse("it has a zero byte in it");
  for (const auto& [name, value] : exec.env)
    if (name.empty() || name.find('=') != std::string::npos || has_zero(name) || has_zero(value))
      return refuse("the variable " + text::printable(name) +
                    " has no name, or a zero byte, or \"=\" in its name");
  if (exec.working_directory.empty() || exec.working_directory.front() != '/' ||
      has_zero(exec.working_directory))
    return refuse("its working directory is no absolute path");
  return {};
}

}  // namespace

std::string pack(const Exec& exec) {
  std::string message;
  add_record(message, 'i', exec.id);
  for (const auto& argument : exec.argv) add_record(message, 'a', argument);
  for (const auto& [name, value] : exec.env) {
    auto pair = name;
    (pair += '\0') += value;
    add_record(message, 'e', pair);
  }
  add_record(message, 'd', exec.working_directory);
  add_record(message, 'p', std::to_string(exec.forward_port));
  return message;
}

Result<Exec> unpack_exec(std::string_view message) {
  Exec exec;
  Record record;
  while (next_record(message, record)) {
    const auto bytes = record.bytes;
    if (record.tag == 'i') exec.id = bytes;
    if (record.tag == 'a') exec.argv.emplace_back(bytes);
    if (record.tag == 'd') exec.working_directory = bytes;
    if (record.tag == 'p') {
      const auto port = text::number(bytes);
      exec.forward_port = port && *port >= 0 && *port <= 65'535 ? static_cast<int>(*port) : -1;
    }
    if (record.tag == 'e') {
      const auto [name, value] = text::split_once(bytes, '\0');
      exec.env.emplace(name, value);
    }
  }
  if (!message.empty()) return fail(Kind::invalid, "The spawner was sent a damaged message.");
  TRY(check(exec));
  return exec;
}

}  // namespace renga::sandbox
