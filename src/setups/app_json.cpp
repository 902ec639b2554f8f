#include "setups/app_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <functional>

#include "base/random.h"
#include "base/text.h"
#include "scheduler/app_json_text.h"
#include "scheduler/wishes.h"

namespace renga::setups {
namespace json = boost::json;

namespace {

constexpr std::size_t secret_bytes = 64;

bool is_env_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string_view kind_of(const json::value& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_string()) return "a string";
  if (value.is_bool()) return "true or false";
  return value.is_null() ? "null" : "a number";
}

// Reads one file; what is wrong is noted with its place in it ("env.KEY.required"), and the reading
// goes on.
class Reader {
 public:
  explicit Reader(ReadAppJson& result) : result_(result) {}

  void read(const json::object& file, std::string_view environment) {
    json::object chosen = file;
    if (const auto* all = object_at(file, "environments", "environments")) {
      members(*all, "environments", [&](std::string_view name, const json::value& value) {
        if (name != "test" && name != "review")
          return note("environments.{} is not known: only test and review are.", name);
        if (!value.is_object())
          return note("environments.{} must be an object, not {}.", name, kind_of(value));
        check_top(value.get_object(), fmt::format("environments.{}.", name));
        if (name != environment) return;
        for (const auto& [key, one] : value.get_object()) chosen[key] = one;
      });
    }
    check_top(file, "");
    auto& app = result_.app;
    app.name = text_at(chosen, "name", "name");
    if (app.name.size() > 30) note("name is longer than 30 characters.");
    app.description = text_at(chosen, "description", "description");
    for (const auto* key : {"website", "repository", "logo", "image"}) text_at(chosen, key, key);
    app.success_url = text_at(chosen, "success_url", "success_url");
    if (!app.success_url.empty() && !app.success_url.starts_with("/") &&
        !app.success_url.starts_with("http://") && !app.success_url.starts_with("https://"))
      note("success_url must be a URL, or a path of the app that starts with /.");
    app.stack = text_at(chosen, "stack", "stack");
    read_keywords(chosen);
    read_env(chosen);
    read_formation(chosen);
    read_addons(chosen);
    read_buildpacks(chosen);
    read_scripts(chosen);
    read_cron(chosen);
  }

 private:
  template <class... Arguments>
  void note(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    result_.errors.push_back(
        text::printable(fmt::format(format, std::forward<Arguments>(arguments)...)));
  }

  void check_top(const json::object& object, std::string_view where) {
    static constexpr std::string_view known[] = {
        "name",        "description",  "keywords", "website",   "repository", "logo",
        "success_url", "scripts",      "env",      "formation", "addons",     "buildpacks",
        "stack",       "environments", "image",    "cron",      "$schema"};
    for (const auto& [key, value] : object)
      if (std::ranges::find(known, std::string_view(key)) == std::end(known) ||
          (!where.empty() && key == "environments"))
        note("{}{} is not a key of app.json.", where, std::string_view(key));
  }
  void check_keys(const json::object& object, std::string_view where,
                  std::initializer_list<std::string_view> known) {
    for (const auto& [key, value] : object)
      if (std::ranges::find(known, std::string_view(key)) == known.end())
        note("{}.{} is not known; there are: {}.", where, std::string_view(key),
             text::join(std::vector<std::string>(known.begin(), known.end()), ", "));
  }
  void members(const json::object& object, std::string_view,
               const std::function<void(std::string_view, const json::value&)>& each) {
    for (const auto& [key, value] : object) each(key, value);
  }
  std::string text_at(const json::object& object, std::string_view key, std::string_view where) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return {};
    if (value->is_string()) return std::string(value->get_string());
    note("{} must be a string, not {}.", where, kind_of(*value));
    return {};
  }
  const json::object* object_at(const json::object& object, std::string_view key,
                                std::string_view where) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return nullptr;
    if (value->is_object()) return &value->get_object();
    note("{} must be an object, not {}.", where, kind_of(*value));
    return nullptr;
  }
  const json::array* array_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr) return nullptr;
    if (value->is_array()) return &value->get_array();
    note("{} must be an array, not {}.", key, kind_of(*value));
    return nullptr;
  }

  void read_keywords(const json::object& file) {
    if (const auto* all = array_at(file, "keywords"))
      for (const auto& one : *all)
        if (!one.is_string()) note("keywords must be strings, and one is {}.", kind_of(one));
  }

  void read_env(const json::object& file) {
    const auto* all = object_at(file, "env", "env");
    if (all == nullptr) return;
    for (const auto& [key, value] : *all) {
      const std::string name(key);
      const auto where = "env." + name;
      if (!is_env_name(name)) note("{}: a config var is named with letters, digits and _.", where);
      EnvWish wish;
      if (value.is_string()) {
        wish.value = std::string(value.get_string());
      } else if (value.is_object()) {
        const auto& object = value.get_object();
        check_keys(object, where, {"description", "value", "required", "generator"});
        wish.description = text_at(object, "description", where + ".description");
        if (object.contains("value")) wish.value = text_at(object, "value", where + ".value");
        if (const auto* required = object.if_contains("required")) {
          if (!required->is_bool())
            note("{}.required must be true or false, not {}.", where, kind_of(*required));
          else
            wish.required = required->get_bool();
        }
        const auto generator = text_at(object, "generator", where + ".generator");
        if (!generator.empty() && generator != "secret")
          note("{}.generator can only be secret.", where);
        wish.generated = generator == "secret";
      } else {
        note("{} must be a string or an object, not {}.", where, kind_of(value));
      }
      result_.app.env[name] = std::move(wish);
    }
  }

  void read_formation(const json::object& file) {
    const auto* all = object_at(file, "formation", "formation");
    if (all == nullptr) return;
    for (const auto& [key, value] : *all) {
      FormationWish wish{std::string(key), std::nullopt, ""};
      const auto where = "formation." + wish.type;
      if (!value.is_object()) {
        note("{} must be an object, not {}.", where, kind_of(value));
        continue;
      }
      const auto& object = value.get_object();
      check_keys(object, where, {"quantity", "size"});
      if (const auto* quantity = object.if_contains("quantity")) {
        if (!quantity->is_int64() || quantity->get_int64() < 0 || quantity->get_int64() > 100)
          note("{}.quantity must be a whole number from 0 to 100.", where);
        else
          wish.quantity = static_cast<int>(quantity->get_int64());
      }
      wish.size = text_at(object, "size", where + ".size");
      result_.app.formation.push_back(std::move(wish));
    }
  }

  void read_addons(const json::object& file) {
    const auto* all = array_at(file, "addons");
    if (all == nullptr) return;
    for (const auto& one : *all) {
      AddonWish wish;
      if (one.is_string()) {
        wish.plan = std::string(one.get_string());
      } else if (one.is_object()) {
        check_keys(one.get_object(), "addons", {"plan", "as", "options"});
        wish.plan = text_at(one.get_object(), "plan", "addons.plan");
        wish.as = text_at(one.get_object(), "as", "addons.as");
        if (const auto* options = object_at(one.get_object(), "options", "addons.options"))
          for (const auto& [key, value] : *options)
            wish.options[std::string(key)] = text_at(*options, key, "addons.options");
      }
      if (wish.plan.empty()) note("Each of addons must name a plan: \"service:plan\".");
      result_.app.addons.push_back(std::move(wish));
    }
  }

  void read_buildpacks(const json::object& file) {
    const auto* all = array_at(file, "buildpacks");
    if (all == nullptr) return;
    for (const auto& one : *all) {
      std::string url;
      if (one.is_object()) {
        check_keys(one.get_object(), "buildpacks", {"url"});
        url = text_at(one.get_object(), "url", "buildpacks.url");
      }
      if (url.empty())
        note("Each of buildpacks must be an object: {{\"url\": \"heroku/python\"}}.");
      result_.app.buildpacks.push_back(std::move(url));
    }
  }

  // Not for the setup: the deploy brings the jobs (cron_jobs.h).
  void read_cron(const json::object& file) {
    if (const auto* all = file.if_contains("cron"))
      for (auto& error : scheduler::read_wishes(*all).errors)
        result_.errors.push_back(std::move(error));
  }

  void read_scripts(const json::object& file) {
    const auto* all = object_at(file, "scripts", "scripts");
    if (all == nullptr) return;
    check_keys(*all, "scripts", {"postdeploy", "pr-predestroy", "test", "test-setup"});
    for (const auto& [key, value] : *all) {
      Script script;
      const auto where = "scripts." + std::string(key);
      if (value.is_string()) {
        script.command = std::string(value.get_string());
      } else if (value.is_object()) {
        check_keys(value.get_object(), where, {"command", "size"});
        script.command = text_at(value.get_object(), "command", where + ".command");
        script.size = text_at(value.get_object(), "size", where + ".size");
      } else {
        note("{} must be a string or an object, not {}.", where, kind_of(value));
        continue;
      }
      if (text::trim(script.command).empty()) note("{} has no command.", where);
      result_.app.scripts[std::string(key)] = std::move(script);
    }
  }

  ReadAppJson& result_;
};

}  // namespace

ReadAppJson read_app_json(std::string_view text, std::string_view environment) {
  ReadAppJson result;
  const auto file = scheduler::app_json_object(text);
  if (!file) {
    result.errors.push_back(file.error().message);
    return result;
  }
  Reader(result).read(*file, environment);
  return result;
}

FirstConfig first_config(const AppJson& app, const std::map<std::string, std::string>& overrides) {
  FirstConfig first;
  for (const auto& [name, value] : overrides) {
    if (!is_env_name(name))
      first.errors.push_back(text::printable("overrides.env." + name) +
                             ": a config var is named with letters, digits and _.");
    first.vars[name] = value;
  }
  for (const auto& [name, wish] : app.env) {
    if (overrides.contains(name)) continue;
    if (wish.generated)
      first.vars[name] = random_hex(secret_bytes);
    else if (wish.value)
      first.vars[name] = *wish.value;
    else if (wish.required)
      first.errors.push_back(
          fmt::format("{} is required and has no value. Give it in overrides.env.", name));
  }
  return first;
}

}  // namespace renga::setups
