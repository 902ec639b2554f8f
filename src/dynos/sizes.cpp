#include "dynos/sizes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/text.h"
#include "crypto/digest.h"

namespace renga::dynos {
namespace {

constexpr double bytes_per_gb = 1024.0 * 1024 * 1024;
constexpr std::size_t most_sizes = 50, longest_name = 40;
constexpr std::int64_t least_megabytes = 16, most_megabytes = 64LL << 20;
constexpr std::int64_t most_compute = 10'000, least_pids = 8, most_pids = 1'000'000;

// The same name has the same id on every server and after every start.
std::string id_of(std::string_view name) {
  const auto digest = crypto::sha256("dyno size " + text::lower(name));
  return fmt::format("{}-{}-5{}-8{}-{}", digest.substr(0, 8), digest.substr(8, 4),
                     digest.substr(13, 3), digest.substr(17, 3), digest.substr(20, 12));
}

bool is_name(std::string_view name) {
  return name.size() <= longest_name && std::ranges::all_of(name, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

// "512MB", "2GB", "2.5GB".
std::optional<double> gigabytes(std::string_view text) {
  const auto unit = text.size() > 2 ? text.substr(text.size() - 2) : "";
  const auto [whole, part] = text::split_once(text.substr(0, text.size() - unit.size()), '.');
  const auto number = text::number(whole);
  const auto tenth = part.empty() ? std::optional<std::int64_t>(0) : text::number(part);
  if (!number || !tenth || part.size() > 3 || *number < 0 || *number > most_megabytes || *tenth < 0)
    return std::nullopt;
  const double amount =
      static_cast<double>(*number) + static_cast<double>(*tenth) / std::pow(10, part.size());
  if (text::equals_ignoring_case(unit, "GB")) return amount;
  if (text::equals_ignoring_case(unit, "MB")) return amount / 1024;
  return std::nullopt;
}

std::string line_is(std::size_t number, std::string_view wrong) {
  return fmt::format("Line {} of the dyno sizes {}.", number, wrong);
}

Result<Size> size_in(std::string_view line, std::size_t number) {
  std::vector<std::string_view> fields;
  for (const auto field : text::split(line, ' '))
    if (!field.empty()) fields.push_back(field);
  if (fields.size() != 4)
    return fail(Kind::invalid,
                line_is(number, "is not NAME MEMORY COMPUTE PROCESSES, as \"Small 256MB 1 128\""));
  if (!is_name(fields[0]))
    return fail(Kind::invalid,
                line_is(number,
                        "has a name with more than letters, digits, -, _ and ., or of more "
                        "than 40 characters"));
  const auto memory = gigabytes(fields[1]);
  if (!memory || *memory * 1024 < least_megabytes || *memory * 1024 > most_megabytes)
    return fail(Kind::invalid, line_is(number, "has no memory of at least 16MB, as 512MB or 2GB"));
  const auto compute = text::number(fields[2]), pids = text::number(fields[3]);
  if (!compute || *compute < 1 || *compute > most_compute)
    return fail(Kind::invalid, line_is(number, "has no CPU share from 1 to 10000"));
  if (!pids || *pids < least_pids || *pids > most_pids)
    return fail(Kind::invalid, line_is(number, "has no number of processes from 8 to 1000000"));

  const auto* known = Sizes::usual().find(fields[0]);
  Size size;
  size.id = known ? known->id : id_of(fields[0]);
  size.name = fields[0];
  size.memory_gb = *memory;
  size.compute = static_cast<int>(*compute);
  size.dedicated = known && known->dedicated;
  size.pids = static_cast<int>(*pids);
  return size;
}

}  // namespace

const Sizes& Sizes::usual() {
  static const Sizes all({
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a01", "Eco", 0.5, 1, false, 256},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a02", "Basic", 0.5, 1, false, 256},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a03", "Standard-1X", 0.5, 1, false, 256},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a04", "Standard-2X", 1, 2, false, 512},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a05", "Performance-M", 2.5, 12, true, 16384},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a06", "Performance-L", 14, 50, true, 32768},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a07", "Performance-L-RAM", 30, 24, true, 32768},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a08", "Performance-XL", 62, 50, true, 32768},
      {"0a3c1f52-6f0e-4a43-9b0e-3d1f0c7e1a09", "Performance-2XL", 126, 100, true, 32768},
  });
  return all;
}

Result<Sizes> Sizes::parse(std::string_view text) {
  std::vector<Size> all;
  std::size_t number = 0;
  for (const auto whole : text::lines(text)) {
    ++number;
    const auto line = text::trim(text::split_once(whole, '#').first);
    if (line.empty()) continue;
    auto size = TRY(size_in(line, number));
    if (std::ranges::any_of(all, [&](const Size& other) { return other.id == size.id; }))
      return fail(Kind::invalid, line_is(number, "names a size that is there already"));
    all.push_back(std::move(size));
  }
  if (all.empty()) return fail(Kind::invalid, "There are no dyno sizes in it.");
  if (all.size() > most_sizes)
    return fail(Kind::invalid, fmt::format("There are more than {} dyno sizes.", most_sizes));
  return Sizes(std::move(all));
}

const Size* Sizes::find(std::string_view identity) const {
  const auto found = std::ranges::find_if(all_, [&](const Size& size) {
    return text::equals_ignoring_case(size.name, identity) ||
           text::equals_ignoring_case(size.id, identity);
  });
  return found == all_.end() ? nullptr : &*found;
}

const Size& Sizes::standard() const {
  const auto* found = find("Standard-1X");
  return found ? *found : all_.front();
}

const Size& Sizes::of(std::string_view identity) const {
  const auto* found = find(identity);
  return found ? *found : standard();
}

std::int64_t Size::memory_bytes() const {
  return static_cast<std::int64_t>(memory_gb * bytes_per_gb);
}

sandbox::Limits Size::limits() const {
  sandbox::Limits limits;
  limits.memory_bytes = memory_bytes();
  limits.cpu_weight = std::min(compute * 100, 10'000);  // cgroup v2's upper limit
  limits.pids = pids;
  return limits;
}

}  // namespace renga::dynos
