#include "cli/local_deployed.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/clock.h"
#include "base/text.h"
#include "cli/answers.h"
#include "cli/deployed_addons.h"
#include "os/file.h"
#include "os/process.h"
#include "os/signal_fd.h"

namespace renga::cli {
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr auto server_limit = 60s;  // until it serves
constexpr std::string_view ready = "renga: ready listen=";

// The end that somebody asks for, as a descriptor; children have the signals' defaults.
class Interrupts {
 public:
  // Waits for one, or for `fd` to be readable.
  void wait(std::chrono::milliseconds limit, int fd = -1) {
    pollfd fds[] = {{signals_.fd(), POLLIN, 0}, {fd, POLLIN, 0}};
    ::poll(fds, 2, static_cast<int>(limit.count()));
    if (const int signal = signals_.next(); signal != 0) status = 128 + signal;
  }

  int status = 0;  // 128 + the signal, once there was one

 private:
  os::SignalFd signals_{SIGINT, SIGTERM, SIGHUP};
};

class Deployed {
 public:
  Deployed(Context& context, const fs::path& directory, const local::Project& project,
           const std::vector<local::Instance>& instances)
      : context_(context),
        directory_(directory),
        project_(project),
        instances_(instances),
        data_(deployed_data(context.surroundings, directory)),
        name_(app_name_for(directory)) {
    environment_ = {{"RENGA_DATA", data_.string()}, {"RENGA_URL", ""}, {"RENGA_APP", name_}};
  }

  Result<int> run() {
    const auto started = start_server();
    const auto status = started ? with_server() : Result<int>(std::unexpected(started.error()));
    if (!fs::exists(data_)) return status;
    // Also what a refusal left running.
    context_.terminal.say("Ending all of it...");
    renga({"server:stop", "--dynos", "--data", data_.string()}, true);
    return status;
  }

 private:
  Result<void> start_server() {
    fs::create_directories(data_.parent_path());
    fs::permissions(data_.parent_path(), fs::perms(0700));
    const auto log = data_.string() + ".log";
    const auto errors = os::open_file(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    os::Command command{
        .argv = {"/proc/self/exe", "server", "--data", data_.string(), "--listen", "127.0.0.1:0",
                 "--http", fmt::format("127.0.0.1:{}", project_.port)},
        .own_group = true};
    server_ =
        std::make_unique<os::Child>(command, os::Child::Streams{.out = {}, .err = errors.get()});
    std::string said;
    const auto end = std::chrono::steady_clock::now() + server_limit;
    while (!said.contains('\n') && std::chrono::steady_clock::now() < end) {
      interrupts_.wait(200ms, server_->out().get());
      if (interrupts_.status != 0) return fail(Kind::unavailable, "Interrupted.");
      pollfd one{server_->out().get(), POLLIN, 0};
      if (::poll(&one, 1, 0) <= 0) continue;
      char bytes[1024];
      const auto got = ::read(server_->out().get(), bytes, sizeof bytes);
      if (got <= 0) break;
      said.append(bytes, static_cast<std::size_t>(got));
    }
    if (said.starts_with(ready)) return {};
    const auto why = os::read_file(log).value_or("");
    return fail(Kind::unavailable,
                fmt::format("The app's own server does not start. {}(All it said is in {}.)",
                            text::replace_all(why.substr(0, 2'000), "renga: ", ""), log));
  }

  Result<int> with_server() {
    auto surroundings = context_.surroundings;
    for (const auto* name : {"RENGA_URL", "RENGA_TOKEN", "RENGA_CA"})
      surroundings.environment.erase(name);
    surroundings.data_directory = data_;
    surroundings.data_directory_named = true;
    Context inside(context_.terminal, surroundings, context_.make_transport);
    auto& platform = *TRY(inside.platform());
    TRY(make_app(platform));
    TRY(set_config(platform));
    const auto since = rfc3339_micros(SystemClock().now());
    if (const int status = renga({"deploy", directory_.string()})) return status;
    TRY(scale(platform));
    const auto app = TRY(platform.get("/apps/" + name_));
    context_.terminal.say(
        fmt::format("\n{} runs as deployed: {}\nOther commands reach it with "
                    "RENGA_DATA={} RENGA_APP={}. Ctrl-C ends it.\n",
                    name_, text_at(app, "web_url"), data_.string(), name_));
    while (interrupts_.status == 0) renga({"logs", "--tail", "--since", since});
    return interrupts_.status;
  }

  // With the add-ons of app.json, as an app that is set up from it.
  Result<void> make_app(client::Platform& platform) {
    if (!platform.get("/apps/" + name_)) TRY(platform.post("/apps", json::object{{"name", name_}}));
    const auto app_json = os::read_file(directory_ / "app.json");
    if (!app_json) return {};
    return make_addons(platform, context_.terminal, name_, *app_json, [this] {
      interrupts_.wait(200ms);
      return interrupts_.status == 0;
    });
  }

  // What the env files say, and no longer what they said before.
  Result<void> set_config(client::Platform& platform) {
    const auto path = "/apps/" + name_ + "/config-vars";
    const auto names_file = data_.string() + ".names";
    const auto there = TRY(platform.get(path));
    const auto before = os::read_file(names_file).value_or("");
    json::object changes;
    std::string names;
    for (const auto name : text::lines(before))
      if (there.as_object().contains(name)) changes[name] = nullptr;
    for (const auto& [name, value] : project_.env_file) {
      if (name == "PORT") continue;
      names += name + "\n";
      changes[name] = value;
    }
    if (changes.empty()) return {};
    TRY(platform.patch(path, changes));
    os::replace_file(names_file, names, 0600);
    return {};
  }

  Result<void> scale(client::Platform& platform) {
    const auto path = "/apps/" + name_ + "/formation";
    json::array updates;
    const auto formation = TRY(platform.get(path));
    for (const auto& process : formation.as_array()) {
      const auto type = text_at(process, "type");
      updates.push_back(
          {{"type", type},
           {"quantity", std::ranges::count(instances_, type, &local::Instance::type)}});
    }
    if (!updates.empty()) TRY(platform.patch(path, json::object{{"updates", updates}}));
    return {};
  }

  // Another command of this program, against the server, to its end or ours.
  int renga(std::vector<std::string> words, bool to_the_end = false) {
    words.insert(words.begin(), "/proc/self/exe");
    os::Child child(
        {.argv = words, .env = environment_, .directory = directory_},
        os::Child::Streams{.in = STDIN_FILENO, .out = STDERR_FILENO, .err = STDERR_FILENO});
    for (;;) {
      if (const auto status = child.wait_for(0ms)) return *status;
      interrupts_.wait(50ms);
      if (interrupts_.status != 0 && !to_the_end) {
        child.signal(SIGTERM);
        child.wait();
        return interrupts_.status;
      }
    }
  }

  Context& context_;
  const fs::path directory_;
  const local::Project& project_;
  const std::vector<local::Instance>& instances_;
  const fs::path data_;
  const std::string name_;
  std::map<std::string, std::string> environment_;
  Interrupts interrupts_;
  std::unique_ptr<os::Child> server_;
};

}  // namespace

fs::path deployed_data(const client::Surroundings& surroundings, const fs::path& directory) {
  const auto value = [&](const std::string& name) {
    const auto found = surroundings.environment.find(name);
    return found == surroundings.environment.end() ? std::string() : found->second;
  };
  const auto data = value("XDG_DATA_HOME");
  const auto home = data.empty() ? fs::path(value("HOME")) / ".local/share" : fs::path(data);
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: a name, not a secret
  for (const char c : directory.native())
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return home / "renga-local" / fmt::format("{}-{:08x}", app_name_for(directory), hash >> 32);
}

std::string app_name_for(const fs::path& directory) {
  constexpr std::size_t longest = 30;
  std::string name;
  for (const char c : text::lower(directory.filename().string())) {
    const bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
    if (letter || (digit && !name.empty()))
      name += c;
    else if (!name.empty() && name.back() != '-')
      name += '-';
    if (name.size() == longest) break;
  }
  while (name.ends_with('-')) name.pop_back();
  return name.size() < 3 ? "app-" + (name.empty() ? std::string("here") : name) : name;
}

Result<int> run_as_deployed(Context& context, const fs::path& directory,
                            const local::Project& project,
                            const std::vector<local::Instance>& instances) {
  return Deployed(context, directory, project, instances).run();
}

}  // namespace renga::cli
