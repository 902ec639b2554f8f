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
#include <string>
#include <thread>

#include "apps/app.h"
#include "base/locked.h"
#include "builds/builds.h"
#include "logs/output_streams.h"
#include "os/fd.h"

namespace renga::git {

// A push under way: who pushes where. Gone from the server with this object.
class HookServer {
 public:
  HookServer(builds::Builds& builds, logs::OutputStreams& outputs, std::filesystem::path socket,
             std::filesystem::path incoming);
  // Hears no hook any more; those that wait are told that the platform stops.
  ~HookServer();
  HookServer(const HookServer&) = delete;
  HookServer& operator=(const HookServer&) = delete;

  void start();

  // Returns the secret of a push, good until remove_push().
  std::string add_push(const apps::App& app, const accounts::Account& account);
  void remove_push(const std::string& secret);

 private:
  struct Push {
    apps::App app;
    accounts::Account account;
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
  int tell_end(int socket, const Push& push, const builds::Build& started);
  void tell_release(int socket, const builds::Build& build);
  bool say(int socket, std::string_view text);

  builds::Builds& builds_;
  logs::OutputStreams& outputs_;
  const std::filesystem::path path_, incoming_;
  std::atomic<bool> stopping_ = false;
  Locked<std::map<std::string, Push>> pushes_;
  std::list<std::unique_ptr<Conversation>> conversations_;  // of the accepting thread
  os::Fd listener_, stop_;
  std::thread thread_;
};

}  // namespace renga::git
