#include "server/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

#include "base/text.h"
#include "os/file.h"

namespace renga::server {
namespace {

// Settings that package managers read, by name or by prefix ("PIP_*").
constexpr std::array build_settings = {"PIP_*",
                                       "UV_*",
                                       "POETRY_*",
                                       "PIPENV_*",
                                       "NPM_CONFIG_*",
                                       "npm_config_*",
                                       "YARN_*",
                                       "GOPROXY",
                                       "GONOSUMDB",
                                       "GOSUMDB",
                                       "GOPRIVATE",
                                       "GONOPROXY",
                                       "GOFLAGS",
                                       "CARGO_*",
                                       "MAVEN_*",
                                       "HTTP_PROXY",
                                       "HTTPS_PROXY",
                                       "NO_PROXY",
                                       "ALL_PROXY",
                                       "http_proxy",
                                       "https_proxy",
                                       "no_proxy",
                                       "all_proxy",
                                       "SSL_CERT_FILE",
                                       "SSL_CERT_DIR",
                                       "CURL_CA_BUNDLE",
                                       "REQUESTS_CA_BUNDLE",
                                       "NODE_EXTRA_CA_CERTS",
                                       "GIT_SSL_CAINFO"};

bool is_build_setting(std::string_view name) {
  return std::ranges::any_of(build_settings, [&](std::string_view pattern) {
    if (!pattern.ends_with('*')) return name == pattern;
    return name.starts_with(pattern.substr(0, pattern.size() - 1));
  });
}

// A cache or a directory of packages of this machine's: no sandbox has it. Files are certificates,
// which builds bring along.
bool is_directory_of_the_host(std::string_view value) {
  return value.starts_with('/') && !std::filesystem::is_regular_file(value);
}

Result<std::string> endpoint(std::string_view option, const std::string& value) {
  const auto colon = value.rfind(':');
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : text::number(std::string_view(value).substr(colon + 1));
  if (!port || *port < 0 || *port > 65'535 || colon == 0)
    return fail(
        Kind::invalid,
        fmt::format("{} takes HOST:PORT, such as 127.0.0.1:8080, not \"{}\".", option, value));
  return value;
}

Result<std::chrono::seconds> seconds(std::string_view option, const std::string& value) {
  constexpr std::int64_t most = 365 * 24 * 3600;
  const auto number = text::number(value);
  if (!number || *number < 0 || *number > most)
    return fail(Kind::invalid,
                fmt::format("{} takes seconds, 0 for never, not \"{}\".", option, value));
  return std::chrono::seconds(*number);
}

Result<int> dynos_of_a_type(std::string_view option, const std::string& value) {
  const auto number = text::number(value);
  if (!number || *number < 1 || *number > 100)
    return fail(Kind::invalid, fmt::format("{} takes a number of dynos, from 1 to 100, not \"{}\".",
                                           option, value));
  return static_cast<int>(*number);
}

Result<std::filesystem::path> directory(std::string_view option, const std::string& value) {
  std::error_code error;
  const auto path = std::filesystem::canonical(value, error);
  if (error || !std::filesystem::is_directory(path))
    return fail(Kind::invalid, fmt::format("{} takes a directory, and {} is none.", option, value));
  return path;
}

Result<dynos::Sizes> sizes(const std::string& file) {
  const auto text = os::read_file(file, 1 << 20);
  if (!text) return fail(Kind::invalid, fmt::format("The dyno sizes {} cannot be read.", file));
  auto parsed = dynos::Sizes::parse(*text);
  if (!parsed) parsed.error().message = fmt::format("{}: {}", file, parsed.error().message);
  return parsed;
}

Result<int> percent(std::string_view option, const std::string& value) {
  const auto number = text::number(value);
  if (!number || *number < 0 || *number > 100'000)
    return fail(Kind::invalid, fmt::format("{} takes a percentage of the machine's memory, 0 for "
                                           "any, not \"{}\".",
                                           option, value));
  return static_cast<int>(*number);
}

Result<std::string> url(std::string_view option, std::string value) {
  while (value.ends_with('/')) value.pop_back();
  if (!value.starts_with("https://") && !value.starts_with("http://"))
    return fail(Kind::invalid,
                fmt::format("{} takes a URL, such as https://paas.example.com:7373.", option));
  return value;
}

}  // namespace

std::filesystem::path default_data_directory() {
  if (::geteuid() == 0) return "/var/lib/renga";
  if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data)
    return std::filesystem::path(data) / "renga";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home && *home ? home : "/tmp") / ".local/share/renga";
}

Result<Options> parse_options(const std::vector<std::string>& arguments) {
  Options options;
  options.data = default_data_directory();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    auto [name, value] = text::split_once(arguments[i], '=');
    const std::string option(name);
    std::string argument(value);
    if (arguments[i].find('=') == std::string::npos) {
      if (i + 1 >= arguments.size())
        return fail(Kind::invalid, fmt::format("{} takes a value.", option));
      argument = arguments[++i];
    }

    if (option == "--data")
      options.data = std::filesystem::absolute(argument).lexically_normal();
    else if (option == "--listen")
      options.listen = TRY(endpoint(option, argument));
    else if (option == "--http")
      options.http = TRY(endpoint(option, argument));
    else if (option == "--https")
      options.https = TRY(endpoint(option, argument));
    else if (option == "--metrics")
      options.metrics = TRY(endpoint(option, argument));
    else if (option == "--domain")
      options.domain = text::lower(argument);
    else if (option == "--public-url")
      options.public_url = TRY(url(option, argument));
    else if (option == "--build-env-file")
      options.build_env_file = argument;
    else if (option == "--sleep-after")
      options.sleep_after = TRY(seconds(option, argument));
    else if (option == "--put-away-after")
      options.put_away_after = TRY(seconds(option, argument));
    else if (option == "--cycle-after")
      options.cycle_after = TRY(seconds(option, argument));
    else if (option == "--cycle-from")
      options.cycle_from = TRY(dynos_of_a_type(option, argument));
    else if (option == "--dyno-sizes")
      options.dyno_sizes = TRY(sizes(argument));
    else if (option == "--overcommit")
      options.overcommit = TRY(percent(option, argument));
    else if (option == "--local-buildpacks")
      options.local_buildpacks.push_back(TRY(directory(option, argument)));
    else
      return fail(
          Kind::invalid,
          fmt::format("renga server has no option {}; it takes --data DIR, --listen "
                      "HOST:PORT, --http HOST:PORT, --https HOST:PORT, --metrics "
                      "HOST:PORT, --domain NAME, "
                      "--public-url URL, --build-env-file FILE, --local-buildpacks DIR, "
                      "--sleep-after SECONDS, --put-away-after SECONDS, --cycle-after "
                      "SECONDS, --cycle-from DYNOS, --dyno-sizes FILE, --overcommit PERCENT.",
                      option));
  }
  return options;
}

Result<std::map<std::string, std::string>> build_environment(const Options& options) {
  std::map<std::string, std::string> settings;
  for (char** entry = environ; entry && *entry; ++entry) {
    const auto [name, value] = text::split_once(*entry, '=');
    if (is_build_setting(name) && !value.empty() && !is_directory_of_the_host(value))
      settings[std::string(name)] = value;
  }
  if (options.build_env_file.empty()) return settings;

  std::ifstream file(options.build_env_file);
  if (!file)
    return fail(Kind::invalid, fmt::format("The build environment file {} cannot be read.",
                                           options.build_env_file.string()));
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const auto trimmed = text::trim(line);
    if (trimmed.empty() || trimmed.starts_with('#')) continue;
    const auto [name, value] = text::split_once(trimmed, '=');
    if (name.empty() || name.size() == trimmed.size())
      return fail(Kind::invalid, fmt::format("{}, line {}: NAME=value is wanted.",
                                             options.build_env_file.string(), number));
    settings[std::string(name)] = value;
  }
  return settings;
}

}  // namespace renga::server
