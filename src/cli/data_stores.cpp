#include "cli/data_stores.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "cli/answers.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

std::string without_url(const std::string& name) {
  return name.ends_with("_URL") ? name.substr(0, name.size() - 4) : name;
}

struct Words {
  std::string_view service, role;
};

Words words_for(DataService service) {
  switch (service) {
    case DataService::postgresql:
      return {"postgresql", "DATABASE"};
    case DataService::redis:
      return {"redis", "REDIS"};
    case DataService::kafka:
      return {"kafka", "KAFKA"};
  }
  return {};
}

}  // namespace

std::string_view role_of(DataService service) { return words_for(service).role; }

Result<DataStore> find_data_store(Context& context, DataService service, const std::string& name) {
  const std::string wanted_service = fmt::format("heroku-{}", words_for(service).service);
  const auto wanted = name.empty() ? std::string(role_of(service)) : without_url(name);
  auto* platform = TRY(context.platform());
  const auto addons = TRY(platform->get(TRY(context.path("/addons"))));
  const auto attachments = TRY(platform->get(TRY(context.path("/addon-attachments"))));
  std::vector<std::string> there;
  for (const auto& attachment : attachments.as_array()) {
    const auto addon = text_at(attachment, "addon.id");
    const auto of_service = std::ranges::any_of(addons.as_array(), [&](const json::value& one) {
      return text_at(one, "id") == addon && text_at(one, "addon_service.name") == wanted_service;
    });
    // An add-on of another app is not among this app's own.
    const auto elsewhere = std::ranges::none_of(
        addons.as_array(), [&](const json::value& one) { return text_at(one, "id") == addon; });
    if (!of_service && !elsewhere) continue;
    const auto attached_as = text_at(attachment, "name");
    there.push_back(attached_as);
    if (text::equals_ignoring_case(attached_as, wanted) ||
        text_at(attachment, "addon.name") == name || addon == name)
      return DataStore{addon, text_at(attachment, "addon.name"), attached_as, TRY(context.app())};
  }
  return fail(Kind::not_found,
              there.empty()
                  ? fmt::format("{} has no add-on of {}. `renga addons:create {}` makes one.",
                                TRY(context.app()), wanted_service, wanted_service)
                  : fmt::format("{} has no {} of {}; there is {}.", TRY(context.app()), wanted,
                                wanted_service, text::join(there, ", ")));
}

Result<std::string> url_of(Context& context, const DataStore& store) {
  const auto vars = TRY(TRY(context.platform())->get(TRY(context.path("/config-vars"))));
  auto url = text_at(vars, store.attachment + "_URL");
  if (url.empty())
    return fail(Kind::not_found, fmt::format("{} has no config var {}_URL; the add-on may still be "
                                             "in the making.",
                                             store.app, store.attachment));
  return url;
}

Result<DataUrl> parse_data_url(const std::string& url) {
  const auto begin = url.find("://");
  const auto at = url.rfind('@');
  if (begin == std::string::npos || at == std::string::npos || at < begin)
    return fail(Kind::invalid, "The config var's value is not the URL of a database.");
  const auto [user, password] =
      text::split_once(std::string_view(url).substr(begin + 3, at - begin - 3), ':');
  const auto [place, path] = text::split_once(std::string_view(url).substr(at + 1), '/');
  const auto [host, port] = text::split_once(place, ':');
  return DataUrl{std::string(user), text::url_decode(password), std::string(host),
                 std::string(port), std::string(path)};
}

Result<int> become_program(const std::vector<std::string>& argv,
                           const std::map<std::string, std::string>& variables,
                           const std::string& package) {
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  // What is ignored stays ignored over an exec.
  ::signal(SIGPIPE, SIG_DFL);
  ::execvp(words[0], words.data());
  return fail(Kind::unavailable, fmt::format("{} cannot be run: {}. Install it with `apt-get "
                                             "install {}`.",
                                             argv.front(), std::strerror(errno), package));
}

}  // namespace renga::cli
