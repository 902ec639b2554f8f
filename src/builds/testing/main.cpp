// The room's test program is its own spawner and its own reader of repositories, as renga is.
#include <gmock/gmock.h>
#include <signal.h>

#include <string_view>

#include "builds/confined_git.h"
#include "sandbox/spawner.h"

int main(int argc, char** argv) {
  const std::string_view part = argc > 1 ? argv[1] : "";
  if (part == "spawner") return renga::sandbox::spawner_main(argc, argv);
  if (renga::builds::is_confined_git(part)) return renga::builds::confined_git_main(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
