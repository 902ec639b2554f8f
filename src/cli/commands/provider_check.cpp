// The provider kit's checker: calls a provider as the platform would, with a resource of its own
// that it removes again, and says what it does not like.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "cli/answers.h"
#include "cli/commands/addons_words.h"
#include "cli/commands/commands.h"
#include "crypto/digest.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

using Answer = client::Transport::Answer;

constexpr const char* usual_manifest = "addon-manifest.json";

// "https://errortank.example"
std::string origin_of(const std::string& url) {
  const auto host = url.find("://");
  return host == std::string::npos ? url : url.substr(0, url.find('/', host + 3));
}

// Of a provider that is asked elsewhere than its manifest says, there as well.
std::string sso_url(const json::value& manifest, const std::string& base_url) {
  auto url = text_at(manifest, "api.production.sso_url");
  const auto named = origin_of(text_at(manifest, "api.production.base_url"));
  if (url.empty() || named == origin_of(base_url)) return url;
  return origin_of(base_url) + url.substr(origin_of(url).size());
}

class Check {
 public:
  Check(Context& context, const json::value& manifest, std::string base_url)
      : context_(context),
        manifest_(manifest),
        transport_(context.make_transport({})),
        base_url_(std::move(base_url)),
        sso_url_(sso_url(manifest, base_url_)),
        user_(text_at(manifest, "id")),
        password_(text_at(manifest, "api.password")) {}

  // How many things are wrong.
  Result<int> run();

 private:
  Result<Answer> call(const std::string& method, const std::string& path, const json::value& body,
                      const std::string& password);
  Result<Answer> call(const std::string& method, const std::string& path,
                      const json::value& body = nullptr) {
    return call(method, path, body, password_);
  }
  json::value request(const std::string& uuid, const std::string& plan) const;
  bool requires_feature(std::string_view feature) const;
  bool expect(bool right, std::string_view what, const std::string& otherwise = {});
  void check_config(const json::value& body);
  void check_refusals(const std::string& uuid);
  void check_plan_change(const std::string& uuid);
  void check_end(const std::string& uuid);
  void check_sign_on(const std::string& uuid, const std::string& id);
  int sign_on(const std::string& uuid, const std::string& id, std::int64_t at, bool rightly);
  static json::value body_of(const Answer& answer);
  std::string plan(std::size_t index) const;

  Context& context_;
  const json::value& manifest_;
  std::unique_ptr<client::Transport> transport_;
  std::string base_url_, sso_url_;
  std::string user_;
  std::string password_;
  int wrong_ = 0;
};

bool Check::expect(bool right, std::string_view what, const std::string& otherwise) {
  context_.terminal.line(fmt::format("{}  {}{}", right ? "ok   " : "WRONG", what,
                                     right || otherwise.empty() ? "" : ": " + otherwise));
  if (!right) ++wrong_;
  return right;
}

json::value Check::body_of(const Answer& answer) {
  boost::system::error_code error;
  auto value = json::parse(answer.body, error);
  return error ? json::value(nullptr) : value;
}

std::string Check::plan(std::size_t index) const {
  const auto* plans = manifest_.as_object().if_contains("plans");
  if (plans == nullptr || !plans->is_array() || plans->as_array().size() <= index)
    return index == 0 ? "test" : "";
  return text_at(plans->as_array()[index], "name");
}

Result<Answer> Check::call(const std::string& method, const std::string& path,
                           const json::value& body, const std::string& password) {
  http::Headers headers;
  headers.add("Authorization", "Basic " + text::base64(user_ + ":" + password));
  headers.add("Accept", "application/vnd.heroku-addons+json; version=3");
  if (!body.is_null()) headers.add("Content-Type", "application/json");
  const auto began = std::chrono::steady_clock::now();
  auto answer = transport_->send(method, base_url_ + path, headers,
                                 body.is_null() ? std::string() : json::serialize(body), {});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  if (took.count() > 25)
    expect(false, "answers within 25 s", fmt::format("{} took {:.1f} s", method, took.count()));
  else if (took.count() > 3)
    context_.terminal.line(
        fmt::format("slow   {} took {:.1f} s; 3 s are good, 25 s the limit", method, took.count()));
  return answer;
}

json::value Check::request(const std::string& uuid, const std::string& plan_name) const {
  json::object body{
      {"callback_url", "http://127.0.0.1:9/addons/" + uuid},
      {"name", "provider-check"},
      {"oauth_grant",
       json::object{{"code", new_uuid()},
                    {"expires_at", rfc3339(SystemClock().now() + std::chrono::minutes(5))},
                    {"type", "authorization_code"}}},
      {"options", json::object{}},
      {"plan", plan_name},
      {"region", "renga::local"},
      {"uuid", uuid},
      {"a_member_that_nobody_knows", true}};
  if (requires_feature("syslog_drain")) body["log_drain_token"] = "d." + uuid;
  if (requires_feature("log_input"))
    body["log_input_url"] = "http://token:t." + uuid + "@127.0.0.1:9/logs";
  return body;
}

bool Check::requires_feature(std::string_view feature) const {
  const auto* api = manifest_.as_object().if_contains("api");
  if (api == nullptr || !api->is_object()) return false;
  const auto* all = api->as_object().if_contains("requires");
  return all != nullptr && all->is_array() &&
         std::ranges::any_of(all->as_array(), [&](const auto& each) {
           return each.is_string() && std::string_view(each.as_string()) == feature;
         });
}

void Check::check_config(const json::value& body) {
  std::set<std::string> known;
  if (const auto* api = manifest_.as_object().if_contains("api"); api && api->is_object())
    if (const auto* vars = api->as_object().if_contains("config_vars"); vars && vars->is_array())
      for (const auto& var : vars->as_array())
        if (var.is_string()) known.emplace(var.as_string());
  const auto* config = body.is_object() ? body.as_object().if_contains("config") : nullptr;
  if (config == nullptr || config->is_null()) {
    expect(known.empty(), "sets the config vars of its manifest", "there is no `config`");
    return;
  }
  if (!expect(config->is_object(), "`config` is an object")) return;
  for (const auto& [name, value] : config->as_object()) {
    expect(known.contains(name), fmt::format("{} is in the manifest", std::string_view(name)));
    expect(value.is_string(), fmt::format("{} is a string", std::string_view(name)));
    if (value.is_string() && name.ends_with("_URL"))
      expect(value.as_string().find("://") != std::string::npos,
             fmt::format("{} is a URL", std::string_view(name)));
  }
}

void Check::check_refusals(const std::string& uuid) {
  const auto stranger = call("POST", "", request(uuid, plan(0)), "not-the-password");
  expect(stranger && stranger->status == 401, "refuses a wrong password with 401",
         stranger ? fmt::format("it answered {}", stranger->status) : stranger.error().message);
  const auto other = new_uuid();
  const auto unknown = call("POST", "", request(other, "a-plan-that-is-not-there"));
  const bool refused = unknown && unknown->status == 422;
  expect(refused, "refuses an unknown plan with 422",
         unknown ? fmt::format("it answered {}", unknown->status) : "");
  if (refused)
    expect(!text_at(body_of(*unknown), "message").empty(), "says why in `message`");
  else
    (void)call("DELETE", "/" + other);
}

void Check::check_plan_change(const std::string& uuid) {
  const auto wanted = plan(1);
  if (wanted.empty()) return;
  const auto changed = call("PUT", "/" + uuid, json::object{{"plan", wanted}, {"uuid", uuid}});
  const int status = changed ? changed->status : 0;
  expect(status == 200 || status == 202 || status == 204 || status == 422,
         fmt::format("changes the plan to {}, or refuses with 422", wanted),
         fmt::format("it answered {}", status));
  if (status == 200) {
    const auto again = call("PUT", "/" + uuid, json::object{{"plan", wanted}, {"uuid", uuid}});
    expect(again && again->status / 100 == 2, "changes the plan again to the same");
  }
}

int Check::sign_on(const std::string& uuid, const std::string& id, std::int64_t at, bool rightly) {
  const auto salt = text_at(manifest_, "api.sso_salt") + (rightly ? "" : "x");
  const auto user = new_uuid();
  std::string form;
  const auto add = [&](std::string_view name, const std::string& value) {
    form += fmt::format("{}{}={}", form.empty() ? "" : "&", name, text::url_encode(value));
  };
  add("resource_id", uuid);
  add("timestamp", std::to_string(at));
  add("user_id", user);
  add("email", "check@example.com");
  add("user_scoped_resource_token",
      crypto::sha256(fmt::format("{}:{}:{}:{}:check@example.com", uuid, salt, at, user)));
  add("resource_token", crypto::sha1(fmt::format("{}:{}:{}", uuid, salt, at)));
  add("id", id);
  add("token", crypto::sha1(fmt::format("{}:{}:{}", id, salt, at)));
  add("app", "provider-check");
  add("context_app", "provider-check");
  http::Headers headers;
  headers.add("Content-Type", "application/x-www-form-urlencoded");
  const auto answer = transport_->send("POST", sso_url_, headers, form, {});
  return answer ? answer->status : 0;
}

void Check::check_sign_on(const std::string& uuid, const std::string& id) {
  if (sso_url_.empty() || text_at(manifest_, "api.sso_salt").empty()) return;
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(SystemClock().now().time_since_epoch())
          .count();
  const auto good = sign_on(uuid, id, now, true);
  expect(good / 100 == 2 || good == 302 || good == 303, "signs on",
         fmt::format("it answered {}", good));
  const auto forged = sign_on(uuid, id, now, false);
  expect(forged == 403, "refuses a forged sign-on with 403", fmt::format("it answered {}", forged));
  const auto stale = sign_on(uuid, id, now - 3600, true);
  expect(stale == 403, "refuses a sign-on of an hour ago with 403",
         fmt::format("it answered {}", stale));
}

void Check::check_end(const std::string& uuid) {
  const auto gone = call("DELETE", "/" + uuid);
  const int status = gone ? gone->status : 0;
  expect(status == 200 || status == 202 || status == 204, "deprovisions",
         fmt::format("it answered {}", status));
  const auto again = call("DELETE", "/" + uuid);
  expect(again && (again->status == 410 || again->status / 100 == 2),
         "answers 410 when asked to deprovision again",
         again ? fmt::format("it answered {}, and would be asked for ever", again->status) : "");
  const auto never = call("DELETE", "/" + new_uuid());
  expect(never && (never->status == 410 || never->status == 404),
         "answers 410 or 404 for what never was",
         never ? fmt::format("it answered {}", never->status) : "");
}

Result<int> Check::run() {
  const auto uuid = new_uuid();
  const auto made = TRY(call("POST", "", request(uuid, plan(0))));
  const auto body = body_of(made);
  if (!expect(made.status == 200 || made.status == 201 || made.status == 202, "provisions",
              fmt::format("it answered {}: {}", made.status,
                          text::printable(made.body.substr(0, 300))))) {
    check_refusals(uuid);
    (void)call("DELETE", "/" + uuid);  // it may have been made all the same
    return wrong_;
  }
  const auto id = text_at(body, "id");
  expect(!id.empty(), "gives an `id`");
  if (made.status != 202) check_config(body);
  const auto again = call("POST", "", request(uuid, plan(0)));
  expect(again && again->status / 100 == 2 && text_at(body_of(*again), "id") == id,
         "answers the same to the same uuid",
         again ? fmt::format("it answered {}", again->status) : "");
  check_refusals(new_uuid());
  check_plan_change(uuid);
  check_sign_on(uuid, id);
  check_end(uuid);
  if (made.status == 202)
    context_.terminal.line(
        "-      it answers 202; how it calls back is seen with `renga addons:create`");
  return wrong_;
}

Result<int> run(Context& context) {
  if (context.arguments.size() < 2 || context.arguments[0] != "check")
    return fail(Kind::invalid, "`renga provider check MANIFEST` checks a provider.");
  const auto& what = context.arguments[1];
  const bool is_url = what.starts_with("http://") || what.starts_with("https://");
  const auto manifest = TRY(read_manifest(context, is_url ? usual_manifest : what));
  if (text_at(manifest, "api.password").empty())
    return fail(Kind::invalid,
                "The manifest has no api.password, so the provider cannot be asked.");
  auto base_url =
      is_url ? what : context.flag("base-url", text_at(manifest, "api.production.base_url"));
  if (!base_url.starts_with("http"))
    return fail(Kind::invalid, "The manifest has no api.production.base_url.");
  while (base_url.ends_with('/')) base_url.pop_back();
  const auto wrong = TRY(Check(context, manifest, base_url).run());
  if (wrong == 0) return 0;
  context.terminal.say(
      fmt::format("{} wrong. docs/addons.md says what is expected.",
                  wrong == 1 ? "One thing is" : fmt::format("{} things are", wrong)));
  return 1;
}

}  // namespace

Command provider_check() {
  return {
      .name = "provider",
      .usage = "check MANIFEST|URL",
      .summary = "check an add-on provider: call it as the platform would",
      .help =
          R"(Provisions, changes, signs on and deprovisions a resource of its own, with the manifest's password, and
prints a line for each thing that it expects. Of a provider at a URL, the manifest is addon-manifest.json here, and signing on is asked there too.

Examples:
  $ renga provider check examples/provider/addon-manifest.json
  $ renga provider check http://127.0.0.1:4000/heroku/resources)",
      .flags = {{"base-url", 0, "URL", "ask here instead of the manifest's base_url"}},
      .run = run};
}

}  // namespace renga::cli
