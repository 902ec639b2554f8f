#include "builds/buildpacks.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/fault.h"
#include "base/text.h"
#include "builds/procfile.h"

namespace renga::builds {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view urn = "urn:buildpack:";
constexpr std::string_view file_scheme = "file://";
constexpr std::size_t longest_address = 2048;

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  if (!file) fault(ENOENT, "read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

// Lines that say something.
std::vector<std::string_view> entries(std::string_view text) {
  std::vector<std::string_view> all;
  for (const auto line : text::lines(text)) {
    const auto entry = text::trim(line);
    if (!entry.empty() && !entry.starts_with('#')) all.push_back(entry);
  }
  return all;
}

// What may stand in the driver's plan, a shell's arguments and a person's terminal.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_word(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

bool is_archive(std::string_view url) {
  const auto path = url.substr(0, url.find_first_of("?#"));
  return path.ends_with(".tgz") || path.ends_with(".tar.gz") || path.ends_with(".tar");
}

}  // namespace

std::string Buildpack::shown() const {
  const auto scheme = name.find("://");
  if (scheme == std::string::npos) return name;
  const auto host = scheme + 3;
  const auto at = name.substr(0, name.find_first_of("/?#", host)).rfind('@');
  return at == std::string::npos || at < host ? name : name.substr(0, host) + name.substr(at + 1);
}

std::vector<std::string> dot_buildpacks(std::string_view text) {
  const auto all = entries(text);
  return {all.begin(), all.end()};
}

Buildpacks::Buildpacks(fs::path directory, std::vector<fs::path> local)
    : directory_(std::move(directory)) {
  for (const auto& each : local) local_.push_back(fs::canonical(each));
}

std::vector<Buildpack> Buildpacks::offered() const {
  std::vector<Buildpack> all;
  const auto order = content_of(directory_ / "order.txt");
  for (const auto entry : entries(order)) {
    const std::string name(text::split_once(entry, ' ').first);
    all.push_back(
        {.name = "heroku/" + name, .from = Buildpack::From::here, .address = name, .ref = {}});
  }
  return all;
}

std::vector<KnownBuildpack> Buildpacks::known() const {
  std::vector<KnownBuildpack> all;
  const auto order = content_of(directory_ / "order.txt");
  for (const auto entry : entries(order)) {
    const auto [name, summary] = text::split_once(entry, ' ');
    all.push_back({"heroku/" + std::string(name), "", std::string(summary)});
  }
  const auto path = directory_ / "registry.txt";
  if (!fs::exists(path)) return all;
  const auto registry = content_of(path);
  for (const auto entry : entries(registry)) {
    const auto [name, rest] = text::split_once(entry, ' ');
    const auto [address, summary] = text::split_once(rest, ' ');
    all.push_back({std::string(name), std::string(address), std::string(summary)});
  }
  return all;
}

Result<Buildpack> Buildpacks::find(std::string_view asked) const {
  auto name = asked;
  if (name.starts_with(urn)) name.remove_prefix(urn.size());
  for (const auto& each : offered())
    if (each.name == name || each.address == name) return each;
  if (name.size() > longest_address || !is_plain(name)) return unknown(asked);

  if (name.starts_with(file_scheme)) return at_path(name.substr(file_scheme.size()), name);
  if (name.starts_with('/')) return at_path(name, name);
  if (name.find("://") != name.npos) return at_url(name, name);

  const auto [repository, ref] = text::split_once(name, '#');
  for (const auto& each : known())
    if (each.name == repository && !each.address.empty())
      return at_url(each.address + (ref.empty() ? "" : "#" + std::string(ref)), name);
  const auto parts = text::split(repository, '/');
  if (parts.size() != 2 || !is_word(parts[0]) || !is_word(parts[1])) return unknown(asked);
  // heroku/x is a name of the platform's, unless it is one of Heroku's repositories.
  if (parts[0] == "heroku" && !parts[1].starts_with("heroku-buildpack-")) return unknown(asked);
  return at_url("https://github.com/" + std::string(name), name);
}

Result<Buildpack> Buildpacks::at_url(std::string_view url, std::string_view name) const {
  const auto [address, ref] = text::split_once(url, '#');
  const auto [scheme, rest] = text::split_once(address, ':');
  // Not file:, which would read the server's own disk, and not ssh:, for which a build has no key.
  const bool fetchable = (scheme == "https" || scheme == "http" || scheme == "git") &&
                         rest.starts_with("//") && rest.size() > 2 && rest[2] != '/';
  if (!fetchable || ref.starts_with('-')) return unknown(name);
  if (is_archive(address) && scheme != "git")
    return Buildpack{.name = std::string(name),
                     .from = Buildpack::From::archive,
                     .address = std::string(address),
                     .ref = {}};
  return Buildpack{.name = std::string(name),
                   .from = Buildpack::From::git,
                   .address = std::string(address),
                   .ref = std::string(ref)};
}

Result<Buildpack> Buildpacks::at_path(std::string_view path, std::string_view name) const {
  const auto [place, ref] = text::split_once(path, '#');
  std::error_code error;
  const auto found = fs::canonical(std::string(place), error);
  // Not there, and there but not offered, are the same to whoever asks: paths of the host are no
  // one's to guess.
  const auto within = [&](const fs::path& top) {
    return std::ranges::mismatch(top, found).in1 == top.end();
  };
  if (error || ref.starts_with('-') || !fs::is_directory(found) ||
      std::ranges::none_of(local_, within))
    return fail(Kind::forbidden,
                fmt::format("The buildpack {} is not among those that this server's operator "
                            "offers by their path (renga server --local-buildpacks DIR).",
                            text::printable(name)));
  return Buildpack{.name = std::string(name),
                   .from = Buildpack::From::local,
                   .address = found.string(),
                   .ref = std::string(ref)};
}

std::unexpected<Error> Buildpacks::unknown(std::string_view name) const {
  std::vector<std::string> names;
  for (const auto& each : known()) names.push_back(each.name);
  return fail(Kind::invalid,
              fmt::format("There is no buildpack {} on this server. Offered are: {}; and any "
                          "other by the https:// URL of its git repository or .tgz file.",
                          text::printable(name.substr(0, 200)), text::join(names, ", ")));
}

Result<releases::ProcessTypes> default_process_types(std::string_view yaml) {
  const auto refused = [](std::string_view why) {
    return fail(Kind::invalid,
                fmt::format("The buildpack's bin/release printed something unusable: {}.", why));
  };
  releases::ProcessTypes types;
  // yaml-cpp reports what it refuses by exceptions; they end here.
  try {
    const auto root = YAML::Load(std::string(yaml));
    if (!root.IsDefined() || root.IsNull()) return types;
    if (!root.IsMap()) return refused("it is not a map");
    const auto declared = root["default_process_types"];
    if (!declared || declared.IsNull()) return types;
    if (!declared.IsMap()) return refused("default_process_types is not a map");
    for (const auto& entry : declared) {
      const auto type = entry.first.as<std::string>();
      if (!is_process_type(type))
        return refused(fmt::format("\"{}\" is no process type", text::printable(type)));
      types[type] = entry.second.as<std::string>();
    }
  } catch (const YAML::Exception& wrong) {
    return refused(text::printable(wrong.what()));
  }
  return types;
}

}  // namespace renga::builds
