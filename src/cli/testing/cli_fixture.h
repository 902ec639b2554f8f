// The whole CLI with a scripted server behind it: say("ps:scale web=2") is what a person types.
#pragma once

#include <gmock/gmock.h>

#include <fstream>

#include "cli/git_remotes.h"
#include "cli/testing/fake_terminal.h"
#include "os/process.h"

namespace renga::cli {

class CliTest : public testing::Test {
 protected:
  CliTest() {
    surroundings.environment = {{"HOME", home.path.string()},
                                {"RENGA_URL", "http://localhost:7373"},
                                {"RENGA_TOKEN", "the-token"}};
    surroundings.directory = home.path;
    surroundings.data_directory = home.path / "data";
  }

  // Exit status. Words are split at spaces.
  int say(const std::string& line) {
    std::vector<std::string> words;
    for (const auto word : text::split(line, ' '))
      if (!word.empty()) words.emplace_back(word);
    return say(words);
  }
  int say(const std::vector<std::string>& words) {
    terminal.shown.clear();
    terminal.said.clear();
    server.sent.clear();
    return run(all_commands(), words, terminal, surroundings, server.transport());
  }

  std::string git(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "git");
    const auto done = os::run({.argv = std::move(arguments),
                               .env = {{"GIT_CONFIG_GLOBAL", "/dev/null"}},
                               .directory = home.path});
    return std::string(text::trim(done.out));
  }
  void make_repository() { git({"init", "-q"}); }

  void write(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((home.path / name).parent_path());
    std::ofstream(home.path / name) << content;
  }

  Home home;
  FakeTerminal terminal;
  FakeServer server;
  client::Surroundings surroundings;
};

}  // namespace renga::cli
