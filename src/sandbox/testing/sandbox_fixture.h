// SandboxTest: a server's worth of sandboxes in a temporary directory, gone with the test. The test
// program is its own spawner (testing/main.cpp), and renga-init is built beside it.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/spawner.h"

namespace renga::sandbox {

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  SpawnerOptions options() const;
  // A shell script, as an app's command.
  Spec script(const std::string& text) const;
  Spec python(const std::string& program) const;

  struct Ran {
    std::string output;
    std::optional<Exit> exit;
  };
  // Starts it, waits for its end (at most 30 s) with its output in a pipe, and removes it.
  Ran run(const Spec& spec);
  std::string output_of(const std::string& text) { return run(script(text)).output; }

  // What is left on the host of this test's sandboxes: control groups, run directories, links.
  std::vector<std::string> left_on_host() const;
  // Polls for at most 10 s.
  static bool eventually(const std::function<bool()>& condition);
  static bool wait_for_end(Spawner& spawner, const Running& running);

  // Until the spawner has made ready for another start of such a sandbox as the last one.
  void wait_for_holders();
  std::size_t waiting_holders() const;

  std::size_t holders = 0;  // for the spawner; set before SetUp()
  std::filesystem::path directory;
  std::string server_name;
  std::optional<Spawner> spawner;
};

// Everything that comes until the end, for at most 30 s.
std::string read_to_end(int fd);

}  // namespace renga::sandbox
