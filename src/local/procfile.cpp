#include "local/procfile.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace renga::local {
namespace {

constexpr int default_port = 5006;  // macOS answers at 5000 itself
constexpr int lowest_port = 1024, highest_port = 65535;
constexpr std::int64_t most_processes = 1000;

bool is_type(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

struct Wanted {
  const Process* process;
  std::int64_t quantity;
  int place;  // decides the port
};

std::string types_of(const Procfile& procfile) {
  std::vector<std::string> types;
  for (const auto& process : procfile.processes) types.push_back(process.type);
  return text::join(types, ", ");
}

struct Part {
  std::string_view type;
  std::int64_t quantity = 1;
};

// "web=2,worker"
Result<std::vector<Part>> parts_of(std::string_view text) {
  std::vector<Part> parts;
  for (const auto piece : text::split(text, ',')) {
    const auto trimmed = text::trim(piece);
    if (trimmed.empty()) continue;
    const auto equals = trimmed.find('=');
    Part part{text::trim(trimmed.substr(0, equals))};
    if (equals != std::string_view::npos) {
      const auto quantity = text::number(text::trim(trimmed.substr(equals + 1)));
      if (!quantity || *quantity < 0 || *quantity > most_processes)
        return fail(Kind::invalid,
                    fmt::format("\"{}\" is not a process type with a number from 0 to {}. Write it "
                                "as web=2.",
                                text::printable(trimmed), most_processes));
      part.quantity = *quantity;
    }
    parts.push_back(part);
  }
  return parts;
}

std::unexpected<Error> no_such_type(const Procfile& procfile, std::string_view type) {
  return fail(Kind::invalid, fmt::format("The Procfile has no process type {}. It has {}.",
                                         text::printable(type), types_of(procfile)));
}

Result<std::vector<Wanted>> wanted_of_types(const Procfile& procfile, std::string_view types) {
  std::vector<Wanted> wanted;
  int place = 0;
  if (types.empty()) {
    for (const auto& process : procfile.processes)
      if (process.type != "release") wanted.push_back({&process, 1, place++});
    return wanted;
  }
  for (const auto& part : TRY(parts_of(types))) {
    const auto* process = procfile.find(part.type);
    if (!process) return no_such_type(procfile, part.type);
    const bool twice =
        std::ranges::any_of(wanted, [&](const Wanted& other) { return other.process == process; });
    if (twice)
      return fail(Kind::invalid, fmt::format("{} is asked for twice. Write {}=2 for two of it.",
                                             part.type, part.type));
    wanted.push_back({process, part.quantity, place++});
  }
  return wanted;
}

Result<std::vector<Wanted>> wanted_of_formation(const Procfile& procfile,
                                                std::string_view formation) {
  const auto parts = TRY(parts_of(formation));
  std::optional<std::int64_t> all;
  for (const auto& part : parts) {
    if (part.type == "all")
      all = part.quantity;
    else if (!procfile.find(part.type))
      return no_such_type(procfile, part.type);
  }
  std::vector<Wanted> wanted;
  int place = 0;
  for (const auto& process : procfile.processes) {
    auto quantity = process.type == "release" ? 0 : all.value_or(0);
    for (const auto& part : parts)
      if (part.type == process.type) quantity = part.quantity;
    wanted.push_back({&process, quantity, place++});
  }
  return wanted;
}

}  // namespace

const Process* Procfile::find(std::string_view type) const {
  const auto found = std::ranges::find(processes, type, &Process::type);
  return found == processes.end() ? nullptr : &*found;
}

Result<Procfile> Procfile::parse(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Procfile procfile;
  for (const auto line : text::lines(text)) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto type = text::trim(line.substr(0, colon));
    const auto command = text::trim(line.substr(colon + 1));
    if (!is_type(type) || command.empty() || command.find('\0') != std::string_view::npos) continue;
    const auto known = std::ranges::find(procfile.processes, type, &Process::type);
    if (known != procfile.processes.end())
      known->command = command;
    else
      procfile.processes.push_back({std::string(type), std::string(command)});
  }
  if (procfile.processes.empty())
    return fail(Kind::invalid,
                "The Procfile has no process type. Write one a line, as in \"web: command\".");
  return procfile;
}

Result<std::vector<Instance>> plan(const Procfile& procfile, std::string_view types,
                                   std::string_view formation, int base_port) {
  if (!types.empty() && !formation.empty())
    return fail(Kind::invalid, "Name the process types as arguments or with -m, not both.");
  const auto wanted = formation.empty() ? TRY(wanted_of_types(procfile, types))
                                        : TRY(wanted_of_formation(procfile, formation));
  std::vector<Instance> instances;
  for (const auto& [process, quantity, place] : wanted) {
    for (std::int64_t n = 1; n <= quantity; ++n) {
      const auto port = base_port + 100 * place + n - 1;
      if (port > highest_port)
        return fail(Kind::invalid, fmt::format("{}.{} would get port {}, and there is none above "
                                               "{}. Give a smaller one with -p.",
                                               process->type, n, port, highest_port));
      instances.push_back({fmt::format("{}.{}", process->type, n), process->type, process->command,
                           static_cast<int>(port)});
    }
    if (static_cast<std::int64_t>(instances.size()) > most_processes)
      return fail(Kind::invalid, fmt::format("That is more than {} processes.", most_processes));
  }
  if (instances.empty())
    return fail(Kind::invalid, "There is nothing to run: every process type is left out or at 0.");
  return instances;
}

Result<int> base_port(std::string_view flag, std::string_view env_file,
                      std::string_view inherited) {
  for (const auto& [from, given] :
       {std::pair{"-p", flag}, {"PORT of the env file", env_file}, {"$PORT", inherited}}) {
    if (given.empty()) continue;
    const auto port = text::number(given);
    if (!port || *port < lowest_port || *port > highest_port)
      return fail(Kind::invalid, fmt::format("{} is \"{}\". It takes a port from {} to {}.", from,
                                             text::printable(given), lowest_port, highest_port));
    return static_cast<int>(*port);
  }
  return default_port;
}

}  // namespace renga::local
