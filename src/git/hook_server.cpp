#include "git/hook_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/random.h"
#include "base/report.h"
#include "base/text.h"
#include "builds/follow_output.h"
#include "git/hook_frames.h"

namespace renga::git {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_hooks = 64;  // at once, each a thread that waits for a build
constexpr std::string_view not_understood =
    " !     The platform did not learn what was pushed, and nothing was built. Push again.\n";

bool is_ours(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

}  // namespace

HookServer::HookServer(builds::Builds& builds, logs::OutputStreams& outputs, PushRecords& records,
                       const Branches& branches, Turns& turns, std::filesystem::path address,
                       ReleaseWatch watch)
    : builds_(builds),
      outputs_(outputs),
      records_(records),
      branches_(branches),
      turns_(turns),
      address_(std::move(address)),
      watch_(std::move(watch)),
      stop_(eventfd(0, EFD_CLOEXEC)) {
  if (!stop_) fault("make an event for git's hooks");
}

HookServer::~HookServer() {
  stopping_ = true;
  eventfd_write(stop_.get(), 1);
  if (thread_.joinable()) thread_.join();
  for (const auto& each : conversations_) each->thread.join();
}

void HookServer::start() {
  listener_ = listen_at(address_);
  thread_ = std::thread([this] { accept_hooks(); });
}

std::string HookServer::add_push(const apps::App& app, const accounts::Account& account) {
  auto secret = random_hex(32);
  pushes_.lock()->emplace(secret, Push{app, account, {}});
  return secret;
}

void HookServer::remove_push(const std::string& secret, Ended ended) {
  std::optional<Push> push;
  {
    auto pushes = pushes_.lock();
    const auto found = pushes->find(secret);
    if (found == pushes->end()) return;
    push = found->second;
    pushes->erase(found);
  }
  if (!push->record) return;
  if (ended == Ended::whole) records_.end(*push->record);
  turns_.give_back(push->app.id);
}

void HookServer::accept_hooks() {
  while (!stopping_) {
    pollfd waits[] = {{listener_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (poll(waits, 2, 1'000) < 0 && errno != EINTR) {
      report("git", "hooks are no longer answered: poll failed");
      return;
    }
    std::erase_if(conversations_, [](const auto& each) {
      if (!each->over) return false;
      each->thread.join();
      return true;
    });
    if (stopping_ || waits[0].revents == 0) continue;
    os::Fd socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket || !is_ours(socket.get())) continue;
    if (conversations_.size() >= most_hooks) {
      say(socket.get(), " !     Too many pushes are under way. Try again later.\n");
      send(socket.get(), {'x', "1"});
      continue;
    }
    auto made = std::make_unique<Conversation>();
    auto* conversation = made.get();
    conversation->socket = std::move(socket);
    conversation->thread = std::thread([this, conversation] {
      answer(conversation->socket.get());
      ::shutdown(conversation->socket.get(), SHUT_RDWR);
      conversation->over = true;
    });
    conversations_.push_back(std::move(made));
  }
}

void HookServer::answer(int socket) {
  const auto asked = receive(socket, 10'000ms);
  int status = 1;
  // Per connection: what fails one push is shown to it, and to the operator.
  try {
    if (asked && asked->kind == 'd')
      status = deploy(socket, asked->bytes);
    else
      say(socket, not_understood);
  } catch (const std::exception& fault) {
    report("git", fmt::format("a push failed: {}", fault.what()));
    say(socket,
        " !     The platform failed to take this push. Its operator finds the reason in its "
        "log.\n");
  }
  send(socket, {'x', std::to_string(status)});
}

int HookServer::deploy(int socket, const std::string& asked) {
  const auto lines = text::split(asked, '\n');
  if (lines.size() < 4) {
    say(socket, not_understood);
    return 1;
  }
  const std::string secret(lines[0]), commit(lines[1]);
  std::vector<Move> moves;
  std::vector<builds::Submodule> submodules;
  for (std::size_t i = 3; i < lines.size(); ++i) {
    const auto parts = text::split(lines[i], '\t');  // which no branch has in its name
    if (parts.size() == 3 && parts[0] == "submodule") {
      submodules.push_back({std::string(parts[1]), std::string(parts[2])});
      continue;
    }
    const auto [from, branch] = text::split_once(lines[i], ' ');
    moves.push_back({std::string(branch), std::string(from)});
  }
  std::optional<Push> push;
  {
    auto pushes = pushes_.lock();
    if (const auto found = pushes->find(secret); found != pushes->end()) push = found->second;
  }
  if (!push) {
    say(socket, " !     This push is not known to the platform any more. Push again.\n");
    return 1;
  }

  if (!take_turn(socket, secret, *push, commit, moves)) return 1;
  builds::NewBuild wanted;
  wanted.source_directory = branches_.repository(push->app.id);
  wanted.version = commit;
  wanted.version_description = lines[2];
  wanted.submodules = std::move(submodules);
  const auto build = builds_.start(push->app, push->account, wanted);
  if (!build) {
    say(socket, " !     " + build.error().message + "\n\n !     Push failed\n");
    return 1;
  }

  // A hook that is gone does not end the build: it is control's.
  builds::follow_output(
      outputs_, build->output_stream, [&](std::string_view bytes) { return say(socket, bytes); },
      [&] { return !stopping_.load(); });
  return tell_end(socket, *push, *build);
}

bool HookServer::take_turn(int socket, const std::string& secret, const Push& push,
                           const std::string& commit, const std::vector<Move>& moves) {
  if (!turns_.try_take(push.app.id)) {
    say(socket,
        fmt::format("       Another push to {} is under way. This one waits for its end.\n\n",
                    push.app.name));
    if (!turns_.take(push.app.id, [&] { return stopping_.load(); })) {
      say(socket, " !     The platform is stopping. Push again when it is back.\n");
      return false;
    }
  }
  const auto give_up = [&](std::string_view why) {
    turns_.give_back(push.app.id);
    say(socket, fmt::format(" !     {}\n\n !     Push failed\n", why));
    return false;
  };
  // git itself would look only after the build.
  if (!branches_.unmoved(push.app.id, moves))
    return give_up(
        "The branch has moved since this push began: another push came first. Push again.");
  const auto record = records_.begin(push.app.id, commit, moves);
  auto pushes = pushes_.lock();
  if (const auto found = pushes->find(secret); found != pushes->end()) {
    found->second.record = record;
    return true;
  }
  records_.end(record);
  return give_up("git has ended before its push could be built. Push again.");
}

int HookServer::tell_end(int socket, const Push& push, const builds::Build& started) {
  auto build = builds_.find(push.app.id, started.id.value);
  // The output ends just after the row does; a hook that went away early may see it still pending.
  if (build && build->status == builds::BuildStatus::pending && !stopping_) return 1;
  if (build && build->status == builds::BuildStatus::succeeded) {
    say(socket, "Verifying deploy... done.\n");
    const auto status = tell_release(socket, *build);
    const bool failed = status == releases::Status::failed || status == releases::Status::expired;
    if (!failed && watch_ && build->release)
      say(socket, watch_(push.app, *build->release, [&] { return !stopping_.load(); }));
    return 0;
  }
  if (build && build->status == builds::BuildStatus::pending) {
    say(socket,
        "\n !     The platform is stopping. It goes on with this build when it is back, releases "
        "it, and\n"
        " !     moves the branch then: there is no need to push again.\n");
    return 1;
  }
  // The output says why, and is gone with the app.
  if (!build) say(socket, " !     The app was destroyed while it was built.\n\n");
  say(socket, fmt::format("Verifying deploy...\n\n!\tPush rejected to {}.\n\n", push.app.name));
  return 1;
}

releases::Status HookServer::tell_release(int socket, const builds::Build& build) {
  bool announced = false;
  const auto announce = [&] {
    if (!std::exchange(announced, true)) say(socket, "Running release command...\n\n");
  };
  const auto status = builds_.follow_release(build, [&](std::string_view bytes) {
    announce();
    return say(socket, bytes) && !stopping_;
  });
  if (!status) return releases::Status::succeeded;
  announce();
  switch (*status) {
    case releases::Status::succeeded:
      say(socket, "\nWaiting for release.... done.\n");
      break;
    case releases::Status::pending:
      say(socket, "\nWaiting for release.... still running.\n");
      break;
    case releases::Status::failed:
    case releases::Status::expired:
      say(socket,
          "\nWaiting for release.... failed.\n"
          " !     Release command failed. The release before it keeps running; fix the command and "
          "push again.\n");
      break;
  }
  return *status;
}

bool HookServer::say(int socket, std::string_view text) {
  while (!text.empty()) {
    const auto part = text.substr(0, Frame::most);
    if (!send(socket, {'o', std::string(part)})) return false;
    text.remove_prefix(part.size());
  }
  return true;
}

}  // namespace renga::git
