#include "client/settings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "base/fault.h"
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
  const fs::path beside = path.string() + ".new";
  {
    const os::Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) fault("open " + beside.string());
    if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()))
      fault("write " + beside.string());
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

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
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
  url = text::replace_all(url, "//127.0.0.1:", "//localhost:");
  url = text::replace_all(url, "//0.0.0.0:", "//localhost:");
  return Settings{url, token, data / "ca.pem"};
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
  if (const auto data = value_of(all, "RENGA_DATA"); !data.empty()) all.data_directory = data;
  return all;
}

std::string Settings::host() const {
  const auto start = url.find("://");
  return start == std::string::npos ? url : url.substr(start + 3);
}

Result<Settings> find_settings(const Surroundings& surroundings, const std::string& url) {
  Settings settings;
  settings.url = without_slash(url.empty() ? value_of(surroundings, "RENGA_URL") : url);
  settings.token = value_of(surroundings, "RENGA_TOKEN");
  settings.ca = value_of(surroundings, "RENGA_CA");
  if (!settings.url.empty() && settings.url.find("://") == std::string::npos)
    settings.url = "https://" + settings.url;
  if (!settings.url.empty() && !settings.token.empty()) return settings;

  const auto saved = logins(surroundings);
  const auto wanted = settings.url.empty() ? text_of(saved, "default") : settings.url;
  const auto* servers = saved.if_contains("servers");
  if (!wanted.empty() && servers && servers->is_object())
    if (const auto* login = servers->as_object().if_contains(wanted); login && login->is_object())
      return Settings{
          wanted, settings.token.empty() ? text_of(login->as_object(), "token") : settings.token,
          settings.ca.empty() ? fs::path(text_of(login->as_object(), "ca")) : settings.ca};

  if (auto local = local_server(surroundings.data_directory);
      local && (settings.url.empty() || settings.url == local->url)) {
    if (!settings.token.empty()) local->token = settings.token;
    return *local;
  }
  if (settings.url.empty())
    return fail(Kind::unauthorized,
                fmt::format("No server is known: none runs on {}, and there is no login. Name one "
                            "with `renga login --url https://HOST:7373`, or set RENGA_URL and "
                            "RENGA_TOKEN.",
                            surroundings.data_directory.string()));
  return fail(Kind::unauthorized,
              fmt::format("No token is known for {}. Sign in with `renga login --url {}`, or set "
                          "RENGA_TOKEN.",
                          settings.url, settings.url));
}

void save_login(const Surroundings& surroundings, const Settings& settings,
                const std::string& ca_text) {
  const auto directory = config_directory(surroundings);
  auto saved = logins(surroundings);
  json::object login{{"token", settings.token}};
  if (!ca_text.empty()) {
    const auto ca = directory / ("ca-" + crypto::sha256(settings.url).substr(0, 12) + ".pem");
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
  write_private(config_directory(surroundings) / "logins.json", json::serialize(saved) + "\n");
  return true;
}

}  // namespace renga::client
