// The tests' program is also the router that they start: `router_test router …`.
#include <gtest/gtest.h>
#include <signal.h>

#include <string_view>

#include "router/router_link.h"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  if (argc > 1 && std::string_view(argv[1]) == "router") {
    return renga::router::router_main(argc, argv);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
