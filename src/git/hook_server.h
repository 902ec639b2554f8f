// HookServer: control's side of the pre-receive hooks. A hook proves which push it belongs to by a
// secret that was put in its environment; it gets the output of the build and its result. Private
// to this room.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "apps/app.h"
#include "base/locked.h"
#include "builds/builds.h"
#include "git/branches.h"
#include "git/push_records.h"
#include "git/release_watch.h"
#include "git/turns.h"
#include "logs/output_streams.h"
#include "os/fd.h"

namespace renga::git {

class HookServer {
 public:
  HookServer(builds::Builds& builds, logs::OutputStreams& outputs, PushRecords& records,
             const Branches& branches, Turns& turns, std::filesystem::path address,
             ReleaseWatch watch);
  // Hears no hook any more; those that wait are told that the platform stops.
  ~HookServer();
  HookServer(const HookServer&) = delete;
  HookServer& operator=(const HookServer&) = delete;

  void start();

  // Returns the secret of a push, good until remove_push().
  std::string add_push(const apps::App& app, const accounts::Account& account);
  // Git has ended: by itself, or cut off, which leaves the push to the next control.
  enum class Ended { whole, cut_off };
  void remove_push(const std::string& secret, Ended ended);

 private:
  struct Push {
    apps::App app;
    accounts::Account account;
    std::optional<Id<PushRecord>> record;  // from its turn on
  };
  struct Conversation {
    os::Fd socket;
    std::atomic<bool> over = false;
    std::thread thread;
  };

  void accept_hooks();
  void answer(int socket);
  // The hook's exit status.
  int deploy(int socket, const std::string& asked);
  // Waits for the app's turn; false when the push is over, with the reason said.
  bool take_turn(int socket, const std::string& secret, const Push& push, const std::string& commit,
                 const std::vector<Move>& moves);
  int tell_end(int socket, const Push& push, const builds::Build& started);
  // What came of the release's command; succeeded also for one that has none.
  releases::Status tell_release(int socket, const builds::Build& build);
  bool say(int socket, std::string_view text);

  builds::Builds& builds_;
  logs::OutputStreams& outputs_;
  PushRecords& records_;
  const Branches& branches_;
  Turns& turns_;
  const std::filesystem::path address_;  // of the socket
  const ReleaseWatch watch_;
  std::atomic<bool> stopping_ = false;
  Locked<std::map<std::string, Push>> pushes_;
  std::list<std::unique_ptr<Conversation>> conversations_;  // of the accepting thread
  os::Fd listener_, stop_;
  std::thread thread_;
};

}  // namespace renga::git
