#include "client/settings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "base/fault.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "os/fd.h"

namespace renga::client {
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void write_private(const fs::path& path, std::string_view content) {
  fs::create_directories(path.parent_path());
  const fs::path beside = fmt::format("{}.{}.new", path.string(), random_hex(4));
  {
    const os::Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) fault("create " + beside.string());
    for (auto rest = content; !rest.empty();) {
      const auto written = ::write(file.get(), rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fault("write " + beside.string());
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(file.get()) != 0) fault("fsync " + beside.string());
  }
  fs::rename(beside, path);
}

std::string value_of(const Surroundings& surroundings, const std::string& name) {
  const auto found = surroundings.environment.find(name);
  return found == surroundings.environment.end() ? std::string() : found->second;
}

fs::path config_directory(const Surroundings& surroundings) {
  const auto config = value_of(surroundings, "XDG_CONFIG_HOME");
  if (!config.empty()) return fs::path(config) / "renga";
  const auto home = value_of(surroundings, "HOME");
  return fs::path(home.empty() ? "/tmp" : home) / ".config/renga";
}

fs::path ca_file(const Surroundings& surroundings, const std::string& url) {
  return config_directory(surroundings) / ("ca-" + crypto::sha256(url).substr(0, 12) + ".pem");
}

json::object logins(const Surroundings& surroundings) {
  boost::system::error_code error;
  auto value = json::parse(read(config_directory(surroundings) / "logins.json"), error);
  return !error && value.is_object() ? value.as_object() : json::object();
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

// The server of a data directory on this machine, when there is one and its token may be read.
std::optional<Settings> local_server(const fs::path& data) {
  boost::system::error_code error;
  const auto server = json::parse(read(data / "run/server.json"), error);
  const auto token = std::string(text::trim(read(data / "admin.token")));
  if (error || !server.is_object() || token.empty()) return std::nullopt;
  auto url = text_of(server.as_object(), "listen");
  // Certificates, git remotes and Heroku's CLI know this machine as localhost.
  for (const auto* here : {"127.0.0.1", "0.0.0.0", "[::]", "[::1]"})
    url = text::replace_all(url, fmt::format("//{}:", here), "//localhost:");
  return Settings{url, token, data / "ca.pem"};
}

// The login of `url`, or the default one when that is empty.
std::optional<Settings> saved_login(const Surroundings& surroundings, const std::string& url) {
  const auto saved = logins(surroundings);
  const auto wanted = url.empty() ? text_of(saved, "default") : url;
  const auto* servers = saved.if_contains("servers");
  if (wanted.empty() || !servers || !servers->is_object()) return std::nullopt;
  const auto* login = servers->as_object().if_contains(wanted);
  if (!login || !login->is_object()) return std::nullopt;
  return Settings{wanted, text_of(login->as_object(), "token"), text_of(login->as_object(), "ca")};
}

// What is known of `url`, or of the server that is meant when nothing was said.
std::optional<Settings> known_server(const Surroundings& surroundings, const std::string& url) {
  if (url.empty() && surroundings.data_directory_named)
    return local_server(surroundings.data_directory);
  if (auto login = saved_login(surroundings, url)) return login;
  auto local = local_server(surroundings.data_directory);
  if (!local || url.empty()) return local;
  // One port serves both http and https, and this machine has two names for itself.
  const Settings asked{text::replace_all(url, "//127.0.0.1:", "//localhost:"), {}, {}};
  if (asked.host() != local->host()) return std::nullopt;
  local->url = url;
  return local;
}

// "renga" where the PATH finds this program under that name, else its path.
std::string program_name(const Surroundings& surroundings) {
  std::error_code error;
  const auto self = fs::read_symlink("/proc/self/exe", error);
  if (error) return "renga";
  const auto path = value_of(surroundings, "PATH");
  for (const auto directory : text::split(path, ':')) {
    const auto candidate = fs::path(directory) / "renga";
    if (directory.empty() || ::access(candidate.c_str(), X_OK) != 0) continue;
    return fs::equivalent(candidate, self, error) ? "renga" : self.string();
  }
  return self.string();
}

}  // namespace

Surroundings real_surroundings() {
  Surroundings all;
  for (char** entry = environ; entry && *entry; ++entry) {
    const auto [name, value] = text::split_once(*entry, '=');
    all.environment[std::string(name)] = value;
  }
  all.directory = fs::current_path();
  if (::geteuid() == 0) {
    all.data_directory = "/var/lib/renga";
  } else {
    const auto data = value_of(all, "XDG_DATA_HOME");
    all.data_directory = data.empty() ? fs::path(value_of(all, "HOME")) / ".local/share/renga"
                                      : fs::path(data) / "renga";
  }
  if (const auto data = value_of(all, "RENGA_DATA"); !data.empty()) {
    all.data_directory = fs::absolute(data);
    all.data_directory_named = true;
  }
  all.program = program_name(all);
  return all;
}

std::string Settings::host() const {
  const auto start = url.find("://");
  return start == std::string::npos ? url : url.substr(start + 3);
}

std::string Settings::name() const {
  const auto all = host();
  const auto colon = all.rfind(':');
  // The last colon of "[::1]" is no port's.
  return colon == std::string::npos || all.ends_with(']') ? all : all.substr(0, colon);
}

bool Settings::is_loopback() const {
  const auto here = name();
  return here == "localhost" || here == "127.0.0.1" || here == "[::1]";
}

std::string server_url(std::string_view given) {
  std::string url(text::trim(given));
  while (url.ends_with('/')) url.pop_back();
  if (!url.empty() && url.find("://") == std::string::npos) url = "https://" + url;
  return url;
}

Result<Settings> find_settings(const Surroundings& surroundings, const std::string& url) {
  const Settings told{server_url(value_of(surroundings, "RENGA_URL")),
                      value_of(surroundings, "RENGA_TOKEN"), value_of(surroundings, "RENGA_CA")};
  Settings settings = told;
  if (const auto asked = server_url(url); !asked.empty()) {
    settings = Settings{asked, {}, {}};
    if (told.url.empty() || told.host() == settings.host()) {
      settings.token = told.token;
      settings.ca = told.ca;
    }
  }

  if (const auto known = known_server(surroundings, settings.url)) {
    settings.url = known->url;
    if (settings.token.empty()) settings.token = known->token;
    if (settings.ca.empty()) settings.ca = known->ca;
  }
  if (!settings.url.empty() && !settings.token.empty()) return settings;

  if (settings.url.empty() && surroundings.data_directory_named)
    return fail(Kind::unauthorized,
                fmt::format("No server runs on {}, or its admin.token may not be read.",
                            surroundings.data_directory.string()));
  if (settings.url.empty())
    return fail(Kind::unauthorized,
                fmt::format("No server is known: none runs on {}, and there is no login. Name one "
                            "with `renga login --url https://HOST:7373`, or set RENGA_URL and "
                            "RENGA_TOKEN.",
                            surroundings.data_directory.string()));
  return fail(Kind::unauthorized,
              fmt::format("No token is known for {}. Sign in with `renga login --url {}`, or set "
                          "RENGA_URL and RENGA_TOKEN.",
                          settings.url, settings.url));
}

void save_login(const Surroundings& surroundings, const Settings& settings,
                const std::string& ca_text) {
  const auto directory = config_directory(surroundings);
  auto saved = logins(surroundings);
  json::object login{{"token", settings.token}};
  if (!ca_text.empty()) {
    const auto ca = ca_file(surroundings, settings.url);
    write_private(ca, ca_text);
    login["ca"] = ca.string();
  } else if (!settings.ca.empty()) {
    login["ca"] = fs::absolute(settings.ca).string();
  }
  if (!saved.contains("servers")) saved["servers"] = json::object();
  saved["servers"].as_object()[settings.url] = login;
  saved["default"] = settings.url;
  write_private(directory / "logins.json", json::serialize(saved) + "\n");
}

bool forget_login(const Surroundings& surroundings, const std::string& url) {
  auto saved = logins(surroundings);
  auto* servers = saved.if_contains("servers");
  if (!servers || !servers->is_object() || !servers->as_object().contains(url)) return false;
  servers->as_object().erase(url);
  if (text_of(saved, "default") == url) saved.erase("default");
  std::error_code ignored;
  fs::remove(ca_file(surroundings, url), ignored);
  write_private(config_directory(surroundings) / "logins.json", json::serialize(saved) + "\n");
  return true;
}

}  // namespace renga::client
