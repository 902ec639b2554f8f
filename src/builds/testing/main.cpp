// The room's test program is its own spawner: `builds_test spawner` is what `renga spawner` is.
#include <gmock/gmock.h>
#include <signal.h>

#include <string_view>

#include "sandbox/spawner.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "spawner")
    return renga::sandbox::spawner_main(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
