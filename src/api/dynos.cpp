// Dyno: what runs. Formation dynos follow the formation; one-off dynos are made here.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"
#include "base/text.h"

namespace renga::api {
json::object to_json(const apps::App& app, const dynos::Dyno& dyno) {
  return {
      {"app", app_ref(app)},
      {"attach_url", nullptr},
      {"command", dyno.command},
      {"created_at", rfc3339(dyno.created_at)},
      {"exit_status", dyno.exit_status ? json::value(*dyno.exit_status) : json::value(nullptr)},
      {"id", dyno.id.value},
      {"name", dyno.name()},
      {"release", json::object{{"id", dyno.release.value}, {"version", dyno.release_version}}},
      {"size", dyno.size},
      {"state", dynos::name_of(dyno.state)},
      {"type", dyno.type},
      {"updated_at", rfc3339(dyno.state_since)},
  };
}

namespace {

// By name or id; one-off dynos also after their end.
Result<dynos::Dyno> find_dyno(const Call& call, const apps::App& app) {
  const auto& identity = call.param("dyno");
  auto& engine = call.services.engine;
  for (const auto& dyno : engine.dynos(app.id))
    if (dyno.name() == identity || dyno.id.value == identity) return dyno;
  if (const auto ended = engine.one_off(Id<dynos::Dyno>{identity}); ended && ended->app == app.id)
    return *ended;
  return fail(Kind::not_found,
              fmt::format("Couldn't find the dyno {} of {}. `ps` lists those there are.",
                          text::printable(identity), app.name));
}

bool is_one_off(const Call& call, const dynos::Dyno& dyno) {
  return call.services.engine.one_off(dyno.id).has_value();
}

// The environment that comes with the call. Terminals send their size as numbers.
Result<std::map<std::string, std::string>> env_in(const json::object& body) {
  std::map<std::string, std::string> env;
  const auto* given = TRY(object_in(body, "env"));
  if (given == nullptr) return env;
  for (const auto& [name, value] : *given) {
    const std::string key(name);
    if (value.is_string())
      env[key] = value.get_string();
    else if (value.is_int64())
      env[key] = std::to_string(value.get_int64());
    else
      return fail(Kind::invalid, fmt::format("`env.{}` must be a string.", key));
  }
  // The names that no environment can hold are refused by the rule of config vars.
  TRY(apps::apply({}, apps::ConfigChanges(env.begin(), env.end())));
  return env;
}

// The client's terminal, as Heroku's CLI says it: COLUMNS and LINES.
dynos::Window window_of(const std::map<std::string, std::string>& env) {
  const auto size = [&](const char* name, int otherwise) {
    const auto found = env.find(name);
    const auto said = found == env.end() ? std::nullopt : text::number(found->second);
    return said && *said > 0 && *said <= 65'535 ? static_cast<int>(*said) : otherwise;
  };
  const dynos::Window usual;
  return {size("COLUMNS", usual.columns), size("LINES", usual.rows)};
}

// HOST:PORT of the control endpoint as the caller reached it. The port must be there.
std::string rendezvous_address(const Call& call) {
  const auto url = call.base_url();
  const auto host = url.substr(url.find("://") + 3);
  const auto colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  return has_port ? host : host + (url.starts_with("https") ? ":443" : ":80");
}

// What a shell is given as one argument, of which the kernel takes no more than 128 KiB.
Result<std::string> command_in(const json::object& body) {
  constexpr std::size_t longest = 64 << 10;
  auto command = TRY(required_text(body, "command"));
  if (command.size() > longest || command.contains('\0'))
    return fail(Kind::invalid,
                fmt::format("`command` has at most {} bytes, and no zero byte. Put what is longer "
                            "into a script, and deploy that with the app.",
                            longest));
  return command;
}

// "migrate --now" runs the process type migrate with one more word, where the Procfile has it.
std::string command_of(const Call& call, const apps::App& app, const std::string& command) {
  const auto [first, rest] = text::split_once(text::trim(command), ' ');
  for (const auto& process : call.services.formation.all(app.id))
    if (process.type == first)
      return rest.empty() ? process.command : fmt::format("{} {}", process.command, rest);
  return command;
}

Result<dynos::OneOff> one_off_in(const Call& call, const apps::App& app, const json::object& body) {
  dynos::OneOff wanted;
  wanted.id = Id<dynos::Dyno>::create();
  wanted.command = command_of(call, app, TRY(command_in(body)));
  wanted.env = TRY(env_in(body));

  const auto type = TRY(text_in(body, "type")).value_or("run");
  const bool plain =
      type.size() <= 64 && !type.empty() && std::ranges::all_of(type, [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_';
      });
  const auto formation = call.services.formation.all(app.id);
  if (!plain ||
      std::ranges::any_of(formation, [&](const auto& process) { return process.type == type; }))
    return fail(Kind::invalid,
                fmt::format("A one-off dyno cannot be of the type {}: types are letters, digits, "
                            "- and _, and not in the Procfile. Leave `type` out for run.",
                            text::printable(type)));
  wanted.type = type;

  const auto& sizes = call.services.formation.sizes();
  const auto size = TRY(identity_in(body, "size")).value_or(sizes.standard().name);
  const auto* found = sizes.find(size);
  if (found == nullptr)
    return fail(Kind::invalid, fmt::format("There is no dyno size {}. GET /dyno-sizes lists them.",
                                           text::printable(size)));
  wanted.size = found->name;

  if (const auto seconds = TRY(number_in(body, "time_to_live"))) {
    if (*seconds < 1 || *seconds > 86'400)
      return fail(Kind::invalid, "`time_to_live` must be from 1 to 86400 seconds.");
    wanted.time_to_live = std::chrono::seconds(*seconds);
  }
  return wanted;
}

}  // namespace

Result<Answer> dyno_create(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  auto wanted = TRY(one_off_in(call, app, body));
  wanted.attached = TRY(flag_in(body, "attach")).value_or(false);
  const bool terminal = !TRY(flag_in(body, "force_no_tty")).value_or(false);
  const auto release = services.releases.current(app.id);
  if (!release.slug)
    return fail(Kind::conflict,
                fmt::format("Nothing was deployed to {} yet. Push the app first.", app.name));

  std::string attach_url;
  if (wanted.attached) {
    const auto secret = TRY(services.rendezvous.expect(
        wanted.id, terminal ? std::optional(window_of(wanted.env)) : std::nullopt));
    attach_url = fmt::format("rendezvous://{}/{}", rendezvous_address(call), secret);
  }
  const auto dyno = services.engine.run(services.reconciler.spec_of(app, release), wanted);
  if (!dyno) {
    services.rendezvous.forget(wanted.id);
    return std::unexpected(dyno.error());
  }
  call.log(app.id, fmt::format("Starting process with command `{}`", wanted.command));
  auto made = to_json(app, *dyno);
  if (wanted.attached) made["attach_url"] = attach_url;
  return created(std::move(made));
}

Result<Answer> dyno_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  json::array array;
  for (const auto& dyno : call.services.engine.dynos(app.id)) array.push_back(to_json(app, dyno));
  return small_list(call, std::move(array), {"name", "id", "created_at", "updated_at"});
}

Result<Answer> dyno_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(app, TRY(find_dyno(call, app))));
}

Result<Answer> dyno_restart_all(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  TRY(call.services.engine.restart(app.id, ""));
  return accepted();
}

Result<Answer> dyno_restart(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto dyno = TRY(find_dyno(call, app));
  // A one-off has no successor: to restart it is to stop it.
  if (is_one_off(call, dyno))
    TRY(call.services.engine.stop(app.id, dyno.name()));
  else
    TRY(call.services.engine.restart(app.id, dyno.name()));
  return accepted();
}

Result<Answer> dyno_restart_type(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  TRY(call.services.engine.restart(app.id, call.param("type")));
  return accepted();
}

Result<Answer> dyno_stop(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  TRY(call.services.engine.stop(app.id, TRY(find_dyno(call, app)).name()));
  return accepted();
}

Result<Answer> dyno_stop_type(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  TRY(call.services.engine.stop(app.id, call.param("type")));
  return accepted();
}

Result<Answer> dyno_run_inside(Call& call) {
  const auto& services = call.services;
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto dyno = TRY(find_dyno(call, app));
  dynos::Exec exec;
  exec.env = TRY(env_in(body));
  // renga's own: our CLI's ps:forward.
  if (const auto port = TRY(number_in(body, "forward_port"))) {
    if (*port < 1 || *port > 65'535)
      return fail(Kind::invalid, "`forward_port` must be from 1 to 65535.");
    exec.forward_port = static_cast<int>(*port);
    exec.command = "forward";
  } else {
    exec.command = TRY(command_in(body));
    if (!TRY(flag_in(body, "force_no_tty")).value_or(false)) exec.terminal = window_of(exec.env);
  }
  if (dyno.state != dynos::State::up)
    return fail(Kind::conflict, fmt::format("{} is not up but {}. Try again when it is.",
                                            dyno.name(), dynos::name_of(dyno.state)));
  const auto release = TRY(services.releases.find(app.id, std::to_string(dyno.release_version)));
  const auto secret = TRY(
      services.rendezvous.expect_exec(services.reconciler.spec_of(app, release), dyno.id, exec));
  call.log(app.id, exec.forward_port > 0
                       ? fmt::format("Forward to port {} of {}", exec.forward_port, dyno.name())
                       : fmt::format("Run `{}` inside {}", exec.command, dyno.name()));
  auto made = to_json(app, dyno);
  made["attach_url"] = fmt::format("rendezvous://{}/{}", rendezvous_address(call), secret);
  made["command"] = exec.command;
  return created(std::move(made));
}

}  // namespace renga::api
