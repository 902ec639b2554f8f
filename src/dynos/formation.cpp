#include "dynos/formation.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace renga::dynos {
namespace {

constexpr int most_dynos_of_a_type = 100;
constexpr std::string_view columns =
    "SELECT id, app, type, command, quantity, size, created_at, updated_at FROM formations ";

Process read(const store::Row& row) {
  return {row.id<Process>(0),
          row.id<apps::App>(1),
          row.text(2),
          row.text(3),
          static_cast<int>(row.integer(4)),
          row.text(5),
          row.time(6),
          row.time(7)};
}

std::string gigabytes(std::int64_t bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / (1 << 30));
}

std::unexpected<Error> no_such_type(std::string_view type) {
  return fail(Kind::not_found, "Couldn't find that process type (" + std::string(type) + ").");
}

// "2" sets, "+1" and "-1" change.
Result<int> quantity_after(int before, const ScaleChange& change) {
  const auto asked = text::number(change.quantity);
  if (!asked)
    return fail(Kind::invalid, "Invalid quantity for " + change.type + ": \"" + change.quantity +
                                   "\" is no number. Use a number, or +1 and -1 to change it.");

  const bool relative = change.quantity.starts_with('+') || change.quantity.starts_with('-');
  const auto far = std::int64_t{1'000'000};  // keeps the sum from overflowing
  const auto quantity = (relative ? before : 0) + std::clamp(*asked, -far, far);
  if (quantity < 0) return fail(Kind::invalid, "Cannot scale " + change.type + " below 0.");
  if (quantity > most_dynos_of_a_type)
    return fail(Kind::invalid, "Cannot scale " + change.type + " to " + std::to_string(quantity) +
                                   ": a process type runs at most " +
                                   std::to_string(most_dynos_of_a_type) + " dynos.");
  if (change.type == "release" && quantity > 0)
    return fail(Kind::invalid,
                "Cannot scale release: its command runs once for every new release.");
  return static_cast<int>(quantity);
}

}  // namespace

std::vector<Process> Formation::all(const Id<apps::App>& app) {
  return database_.all(std::string(columns) + "WHERE app = ? ORDER BY type <> 'web', type", read,
                       app);
}

Result<Process> Formation::find(const Id<apps::App>& app, std::string_view identity) {
  const auto found =
      database_.first(std::string(columns) + "WHERE app = ? AND (type = ? OR id = ?)", read, app,
                      identity, text::lower(identity));
  if (!found) return no_such_type(identity);
  return *found;
}

Result<std::vector<Process>> Formation::scale(const Id<apps::App>& app,
                                              std::span<const ScaleChange> changes) {
  std::vector<Process> named;
  {
    auto transaction = database_.begin();
    const auto wanted_before = memory_wanted();
    for (const auto& change : changes) {
      auto process = TRY(find(app, change.type));
      if (process.type != change.type) return no_such_type(change.type);

      if (!change.quantity.empty())
        process.quantity = TRY(quantity_after(process.quantity, change));
      if (!change.size.empty()) {
        const auto* size = sizes_.find(change.size);
        if (!size)
          return fail(Kind::invalid, "No such dyno size as " + change.size +
                                         ". See the sizes there are with `ps:type` or GET "
                                         "/dyno-sizes.");
        process.size = size->name;
      }
      process.updated_at = clock_.now();
      database_.run("UPDATE formations SET quantity = ?, size = ?, updated_at = ? WHERE id = ?",
                    process.quantity, process.size, process.updated_at, process.id);

      const auto before = std::ranges::find(named, process.id, &Process::id);
      if (before == named.end())
        named.push_back(process);
      else
        *before = process;
    }
    const auto wanted = memory_wanted();
    const double most = static_cast<double>(capacity_.memory_bytes) * capacity_.most_percent / 100;
    if (capacity_.most_percent > 0 && wanted > wanted_before && static_cast<double>(wanted) > most)
      return fail(
          Kind::invalid,
          fmt::format("Cannot scale: the dynos of all apps could then use {} of memory, and "
                      "this server lets them have {} % of the machine's {}. Scale something "
                      "down, or choose smaller dynos.",
                      gigabytes(wanted), capacity_.most_percent,
                      gigabytes(capacity_.memory_bytes)));
    transaction.commit();
  }
  changed_(app);
  return named;
}

std::int64_t Formation::memory_wanted() {
  std::int64_t wanted = 0;
  const auto of_size = [&](const store::Row& row) {
    return sizes_.of(row.text(0)).memory_bytes() * row.integer(1);
  };
  for (const auto bytes : database_.all(
           "SELECT size, SUM(quantity) FROM formations WHERE quantity > 0 GROUP BY size", of_size))
    wanted += bytes;
  return wanted;
}

std::optional<std::string> Formation::overcommitted() {
  const auto wanted = memory_wanted();
  if (capacity_.memory_bytes == 0 || wanted <= capacity_.memory_bytes) return std::nullopt;
  return fmt::format(
      "The dynos of all apps may use {} of memory together, and this machine has {}. When they do, "
      "the kernel ends some of them.",
      gigabytes(wanted), gigabytes(capacity_.memory_bytes));
}

void Formation::follow(const Id<apps::App>& app, const releases::ProcessTypes& types) {
  auto transaction = database_.begin();
  const auto before = all(app);
  for (const auto& process : before)
    if (!types.contains(process.type))
      database_.run("DELETE FROM formations WHERE id = ?", process.id);

  const auto now = clock_.now();
  for (const auto& [type, command] : types) {
    const auto known = std::ranges::find(before, type, &Process::type);
    if (known == before.end()) {
      const int quantity = before.empty() && type == "web" ? 1 : 0;
      database_.run(
          "INSERT INTO formations (id, app, type, command, quantity, size, created_at, updated_at) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          Id<Process>::create(), app, type, command, quantity, sizes_.standard().name, now, now);
    } else if (known->command != command) {
      database_.run("UPDATE formations SET command = ?, updated_at = ? WHERE id = ?", command, now,
                    known->id);
    }
  }
  transaction.commit();
}

}  // namespace renga::dynos
