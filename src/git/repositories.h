// Repositories: one bare git repository an app, and git's smart HTTP in front of it. git's own
// programs do git: `git http-backend` serves, and its pre-receive hook (`renga hook pre-receive`)
// asks control to build what was pushed and shows the output to the person who pushes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "apps/apps.h"
#include "builds/builds.h"
#include "git/release_watch.h"
#include "http/message.h"

namespace renga::git {

struct RepositoriesOptions {
  std::filesystem::path directory;    // DIR/repositories: <app id>.git
  std::filesystem::path hook_socket;  // unix socket on which hooks reach control; mode 0600
  std::filesystem::path program;      // renga itself, for the hook
  ReleaseWatch watch = {};            // without it nobody waits
};

class Repositories {
 public:
  Repositories(store::Database& database, Clock& clock, apps::Apps& apps, builds::Builds& builds,
               logs::OutputStreams& outputs, RepositoriesOptions options);
  ~Repositories();
  Repositories(const Repositories&) = delete;
  Repositories& operator=(const Repositories&) = delete;

  // Serves hooks from here on, and carries through the pushes that an earlier control left: after
  // Builds::resume().
  void start();
  // Answers GET /<app>.git/info/refs and POST /<app>.git/git-{receive,upload}-pack for a signed-in
  // account. The request's body is streamed. A client that leaves does not stop the push that git
  // has accepted.
  http::Response serve(http::Request& request, const apps::App& app,
                       const accounts::Account& account);
  std::int64_t size(const Id<apps::App>& app);  // bytes
  void remove(const Id<apps::App>& app);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The program `renga hook pre-receive`, started by git inside the repository.
int hook_main(int argc, char** argv);
// The program `renga git-serve`: `git http-backend` within its bounds.
int confined_main(int argc, char** argv);

}  // namespace renga::git
