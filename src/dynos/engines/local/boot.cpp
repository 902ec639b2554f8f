#include "dynos/engines/local/boot.h"

#include "base/random.h"
#include "base/text.h"
#include "os/machine.h"

namespace renga::dynos {
namespace {

// The command comes as an argument, so that nothing in it needs quoting. `exec` leaves one process,
// so that signals reach the command itself; a bash that has one simple command to run becomes it,
// too.
constexpr std::string_view script = R"(
for renga_profile in /app/.profile.d/*.sh; do
  if [ -r "$renga_profile" ]; then . "$renga_profile"; fi
done
unset renga_profile
if [ -r /app/.profile ]; then . /app/.profile; fi
exec /bin/bash -c "$1"
)";

bool is_name(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

Record new_record(const Id<Dyno>& id, const AppSpec& spec, const std::string& type, int number,
                  const std::string& command, const std::string& size, Time now) {
  Record record;
  auto& dyno = record.dyno;
  dyno.id = id;
  dyno.app = spec.app;
  dyno.type = type;
  dyno.number = number;
  dyno.command = command;
  dyno.size = size;
  dyno.release = spec.release;
  dyno.release_version = spec.release_version;
  dyno.created_at = dyno.state_since = now;
  // A random one, so that apps learn to listen at $PORT; below those the kernel hands out by
  // itself.
  record.port = static_cast<int>(10'000 + random_below(20'000));
  record.log_secret = random_hex(32);
  record.boot = os::boot_id();
  return record;
}

std::vector<std::string> boot_argv(const std::string& command) {
  return {"/bin/bash", "-c", std::string(script), "bash", command};
}

std::map<std::string, std::string> boot_environment(
    const Record& record, std::int64_t memory_bytes, const std::map<std::string, std::string>& spec,
    const std::map<std::string, std::string>& one_off) {
  std::map<std::string, std::string> env = one_off;
  env.insert(spec.begin(), spec.end());
  env.emplace("PATH", "/usr/local/bin:/usr/bin:/bin");
  env["DYNO"] = record.dyno.name();
  env["HEROKU_DYNO_ID"] = record.dyno.id.value;
  env["HOME"] = "/app";
  env["PWD"] = "/app";
  // What buildpacks size themselves by: the cgroup's own file is hidden from dynos.
  env["DYNO_RAM"] = std::to_string(memory_bytes >> 20);
  if (record.dyno.type == "web" && !record.one_off) env["PORT"] = std::to_string(record.port);
  return env;
}

std::string shown_command(const Record& record) {
  const auto& command = record.dyno.command;
  if (record.dyno.type != "web" || record.one_off) return command;

  const auto port = std::to_string(record.port);
  const auto whole = text::replace_all(command, "${PORT}", port);
  constexpr std::string_view name = "$PORT";
  std::string shown;
  for (std::size_t at = 0; at < whole.size();) {
    const auto end = at + name.size();
    if (whole.compare(at, name.size(), name) == 0 &&
        (end == whole.size() || !is_name(whole[end]))) {
      shown += port;
      at = end;
    } else {
      shown += whole[at++];
    }
  }
  return shown;
}

}  // namespace renga::dynos
