#include "git/repositories.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <mutex>

#include "base/report.h"
#include "base/text.h"
#include "builds/git_command.h"
#include "git/backend.h"
#include "git/branches.h"
#include "git/carried_pushes.h"
#include "git/hook_server.h"
#include "git/push_records.h"
#include "git/turns.h"
#include "os/confine.h"
#include "os/file.h"
#include "os/process.h"

namespace renga::git {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t most_at_once = 64;  // runs of git, each a thread

// Written with every repository. Hooks live outside of it, where no push can put one.
constexpr std::string_view configuration = R"([core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	logAllRefUpdates = false
	hooksPath = "{hooks}"
	fsync = committed,reference
[http]
	receivepack = true
	uploadpack = true
[receive]
	maxInputSize = 1g
	denyNonFastForwards = false
[gc]
	autoDetach = false
[tar]
	umask = 0022
[uploadpack]
	allowFilter = true
)";
// The slug is the whole tree: attributes that take files out of archives are for people's own
// archives.
constexpr std::string_view attributes = "* -export-ignore -export-subst\n";

// A fatal error on the side-band of a push, and the end: https://git-scm.com/docs/protocol-common
// (pkt-line).
std::string push_cut_off() {
  constexpr std::string_view text =
      "\3this push was cut off: the platform is stopping, or the app was destroyed. What was "
      "accepted is built and released when the platform is back, and moves the branch then.\n";
  return fmt::format("{:04x}{}0000", text.size() + 4, text);
}

http::Response refuse(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  response.body = std::move(text);
  return response;
}

// What the client asks git for. The service is spelled out here and never passed on as it came.
struct Asked {
  std::string path;     // "/info/refs"
  std::string service;  // "git-receive-pack"
};
std::optional<Asked> asked_for(const http::Request& request) {
  for (const std::string service : {"git-receive-pack", "git-upload-pack"}) {
    if (request.method == "POST" && request.path.ends_with(".git/" + service))
      return Asked{"/" + service, service};
    if (request.method == "GET" && request.path.ends_with(".git/info/refs")) {
      const auto query = text::query(request.query);
      const auto wanted = query.find("service");
      if (wanted != query.end() && wanted->second == service) return Asked{"/info/refs", service};
    }
  }
  return std::nullopt;
}

std::int64_t size_of(const fs::path& top) {
  std::int64_t bytes = 0;
  std::error_code error;  // files come and go while git works
  for (auto at = fs::recursive_directory_iterator(top, error);
       at != fs::recursive_directory_iterator(); at.increment(error)) {
    if (error) break;
    if (at->is_regular_file(error)) bytes += static_cast<std::int64_t>(at->file_size(error));
  }
  return bytes;
}

}  // namespace

struct Repositories::State {
  State(store::Database& database, Clock& clock, apps::Apps& all_apps, builds::Builds& all_builds,
        logs::OutputStreams& outputs, RepositoriesOptions wanted)
      : apps(all_apps),
        builds(all_builds),
        options(absolute(std::move(wanted))),
        program(fs::canonical(options.program).string()),
        hooks(options.directory / "hooks"),
        incoming(options.directory / "incoming"),
        records(database, clock),
        branches(options.directory),
        hook_server(builds, outputs, records, branches, turns, options.hook_socket, options.watch) {
    fs::create_directories(hooks);
    fs::permissions(options.directory, fs::perms(0700));
    fs::remove_all(incoming);
    fs::create_directory(incoming);
    const auto hook = hooks / "pre-receive";
    os::replace_file(hook, "#!/bin/sh\nexec " + text::shell_quote(program) + " hook pre-receive\n",
                     0700);
  }

  // git and its hooks run in directories of their own.
  static RepositoriesOptions absolute(RepositoriesOptions options) {
    options.directory = fs::absolute(options.directory);
    options.hook_socket = fs::absolute(options.hook_socket);
    return options;
  }

  fs::path path_of(const Id<apps::App>& app) const { return branches.repository(app); }

  // Made whole under another name and then renamed, so that a repository is there or is not.
  void ensure(const Id<apps::App>& app) {
    const auto path = path_of(app);
    const std::lock_guard one_at_a_time(making);
    if (!fs::exists(path)) {
      const auto fresh = incoming / (app.value + ".new");
      fs::remove_all(fresh);
      const auto made = os::run(builds::git_command(
          options.directory,
          {"init", "--quiet", "--bare", "--template=", "--initial-branch=main", fresh.string()}));
      if (made.status != 0) throw std::runtime_error("git init: " + made.err);
      fs::create_directories(fresh / "info");
      os::replace_file(fresh / "info/attributes", attributes, 0644);
      fs::rename(fresh, path);
    }
    // The hooks' place may be another than when the repository was made.
    const auto wanted = text::replace_all(std::string(configuration), "{hooks}", hooks.string());
    if (os::read_file(path / "config") != wanted) os::replace_file(path / "config", wanted, 0644);
  }

  os::Command command(const http::Request& request, const Asked& asked, const apps::App& app,
                      const accounts::Account& account, const std::string& secret) const {
    auto command = builds::git_command(options.directory, {});
    command.argv = {program, "git-serve", path_of(app.id).string(), hooks.string(), program};
    command.directory = options.directory;
    command.own_group = true;
    auto& env = command.env;
    env["GIT_PROJECT_ROOT"] = options.directory.string();
    env["GIT_HTTP_EXPORT_ALL"] = "1";
    env["PATH_INFO"] = "/" + app.id.value + ".git" + asked.path;
    env["QUERY_STRING"] = asked.path == "/info/refs" ? "service=" + asked.service : "";
    env["REQUEST_METHOD"] = request.method;
    env["REMOTE_USER"] = account.email;
    env["REMOTE_ADDR"] = request.peer.substr(0, request.peer.rfind(':'));
    env["CONTENT_TYPE"] = std::string(request.headers.value_or("Content-Type", ""));
    if (const auto encoding = request.headers.find("Content-Encoding"))
      env["HTTP_CONTENT_ENCODING"] = std::string(*encoding);
    // Without one git reads to the end of its input, which is how a chunked body ends for it.
    if (const auto length = request.headers.find("Content-Length"); length && text::number(*length))
      env["CONTENT_LENGTH"] = std::string(*length);
    if (const auto protocol = request.headers.find("Git-Protocol"))
      env["GIT_PROTOCOL"] = std::string(protocol->substr(0, 256));
    if (!secret.empty()) {
      env["RENGA_HOOK_SECRET"] = secret;
      env["RENGA_HOOK_SOCKET"] = options.hook_socket.string();
    }
    return command;
  }

  struct Run {
    Id<apps::App> app;
    std::shared_ptr<Backend> backend;
  };
  // Ends of runs are waited for outside of the lock.
  std::vector<Run> take_runs(const std::function<bool(const Run&)>& which) {
    std::vector<Run> taken;
    auto all = runs.lock();
    for (const auto& run : *all)
      if (which(run)) taken.push_back(run);
    std::erase_if(*all, which);
    return taken;
  }

  apps::Apps& apps;
  builds::Builds& builds;
  RepositoriesOptions options;
  std::string program;
  fs::path hooks, incoming;  // `incoming`: what is being made
  PushRecords records;
  Branches branches;
  Turns turns;
  std::optional<CarriedPushes> carried;
  HookServer hook_server;
  std::mutex making;
  Locked<std::vector<Run>> runs;
};

Repositories::Repositories(store::Database& database, Clock& clock, apps::Apps& apps,
                           builds::Builds& builds, logs::OutputStreams& outputs,
                           RepositoriesOptions options)
    : state_(std::make_unique<State>(database, clock, apps, builds, outputs, std::move(options))) {}

Repositories::~Repositories() {
  const auto all = state_->take_runs([](const auto&) { return true; });
  for (const auto& run : all) run.backend->stop();
  for (const auto& run : all) run.backend->end();
}

void Repositories::start() {
  if (!os::files_can_be_confined())
    report("git",
           "this kernel has no Landlock: git, which reads what is pushed, is not held back from "
           "files that it does not need");
  state_->carried.emplace(state_->builds, state_->records, state_->branches, state_->turns);
  state_->hook_server.start();
}

http::Response Repositories::serve(http::Request& request, const apps::App& app,
                                   const accounts::Account& account) {
  const auto asked = asked_for(request);
  if (!asked)
    return refuse(403, "Only git's smart HTTP protocol is served here. Use git 1.6.6 or newer.\n");
  state_->take_runs([](const auto& run) { return run.backend->over(); });
  if (state_->runs.lock()->size() >= most_at_once)
    return refuse(503, "Too many pushes and fetches are under way. Try again later.\n");

  state_->ensure(app.id);
  const bool pushes = asked->path == "/git-receive-pack";
  const auto secret = pushes ? state_->hook_server.add_push(app, account) : std::string();
  const auto ended = [state = state_.get(), id = app.id, secret, pushes](Backend::End end) {
    if (!pushes) return;
    state->hook_server.remove_push(
        secret, end == Backend::End::whole ? HookServer::Ended::whole : HookServer::Ended::cut_off);
    // The app may be gone by now, and a size is not worth a failure.
    try {
      state->apps.set_repo_size(id, size_of(state->path_of(id)));
    } catch (const std::exception& fault) {
      report("git", fmt::format("the size of a repository was not noted: {}", fault.what()));
    }
  };
  const auto backend = std::make_shared<Backend>(
      state_->command(request, *asked, app, account, secret),
      pushes ? Backend::WithoutClient::goes_on : Backend::WithoutClient::stops, ended,
      pushes ? push_cut_off() : std::string());
  state_->runs.lock()->push_back({app.id, backend});

  if (request.stream) {
    backend->feed(request.stream.get());
  } else {
    // A route that does not stream has the body whole.
    struct Whole final : http::BodyReader {
      explicit Whole(std::string text) : body(std::move(text)) {}
      std::string read() override { return std::exchange(body, {}); }
      std::string body;
    } whole{request.body};
    backend->feed(&whole);
  }
  return Backend::answer(backend);
}

std::int64_t Repositories::size(const Id<apps::App>& app) {
  const auto path = state_->path_of(app);
  return fs::exists(path) ? size_of(path) : 0;
}

void Repositories::remove(const Id<apps::App>& app) {
  {
    const auto runs = state_->take_runs([&](const auto& run) { return run.app == app; });
    for (const auto& run : runs) run.backend->end();
  }
  fs::remove_all(state_->path_of(app));
}

}  // namespace renga::git
