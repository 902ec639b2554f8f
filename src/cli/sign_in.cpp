#include "cli/sign_in.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "cli/answers.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

constexpr int lifetime = 30 * 24 * 3600;  // seconds; Heroku's CLI asks for as much

std::string this_machine() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "a machine";
}

json::value value_of(const client::Transport::Answer& answer) {
  boost::system::error_code error;
  auto value = json::parse(answer.body, error);
  return error ? json::value() : value;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Result<client::Settings> named_server(Context& context) {
  client::Settings settings;
  settings.url = client::server_url(context.flag("url"));
  if (settings.url.empty())
    return fail(Kind::invalid, fmt::format("Which server? Name it: `--url https://HOST:7373`."));
  if (context.has("ca")) {
    settings.ca = context.surroundings.directory / context.flag("ca");
    if (text_of(settings.ca).find("BEGIN CERTIFICATE") == std::string::npos)
      return fail(Kind::invalid, fmt::format("{} is no certificate in PEM. Copy the server's "
                                             "ca.pem, which is in its data directory.",
                                             settings.ca.string()));
  }
  if (settings.url.starts_with("http://") && !settings.is_loopback())
    context.terminal.say(fmt::format(
        " !    {} is not encrypted: whoever sees the traffic has the token. Use https://.",
        settings.url));
  return settings;
}

Result<std::string> new_password(Context& context) {
  const auto password = context.terminal.ask("New password: ", true);
  if (context.terminal.ask("The same again: ", true) != password)
    return fail(Kind::invalid, "The two are not the same. Nothing was changed.");
  return password;
}

Result<int> sign_in(Context& context, client::Settings settings, const std::string& email,
                    const std::string& password) {
  const auto transport = context.make_transport(settings.ca);
  http::Headers headers;
  headers.set("Accept", "application/vnd.heroku+json; version=3");
  headers.set("Content-Type", "application/json");
  headers.set("Authorization", "Basic " + text::base64(email + ":" + password));
  const auto wanted =
      json::serialize(json::object{{"description", std::string(login_description) + this_machine()},
                                   {"scope", json::array{"global"}},
                                   {"expires_in", lifetime}});
  const auto url = settings.url + "/oauth/authorizations";
  auto answer = TRY(transport->send("POST", url, headers, wanted, {}));
  if (text_at(value_of(answer), "id") == "two_factor") {
    headers.set("Heroku-Two-Factor-Code",
                std::string(text::trim(context.terminal.ask("Two-factor code: ", true))));
    answer = TRY(transport->send("POST", url, headers, wanted, {}));
  }
  const auto made = value_of(answer);
  if (answer.status != 201) {
    const auto why = text_at(made, "message");
    return fail(Kind::unauthorized,
                why.empty() ? fmt::format("{} answered with status {}.", url, answer.status) : why);
  }
  settings.token = text_at(made, "access_token.token");
  return save_login(context, settings);
}

Result<int> save_login(Context& context, const client::Settings& settings) {
  const auto transport = context.make_transport(settings.ca);
  client::Platform platform(settings, *transport);
  const auto account = TRY(platform.get("/account"));
  client::save_login(context.surroundings, settings,
                     settings.ca.empty() ? "" : text_of(settings.ca));
  context.terminal.say(
      fmt::format("Logged in to {} as {}.", settings.url, text_at(account, "email")));
  return 0;
}

}  // namespace renga::cli
