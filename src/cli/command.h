// Command: a value with its words, its flags and its help inside, and the function that runs it.
// What it needs comes in with the Context; it owns nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/terminal.h"
#include "client/platform.h"

namespace renga::cli {

struct Flag {
  std::string_view name;   // "app", given as --app
  char letter = 0;         // 'a', given as -a; 0: none
  std::string_view value;  // what stands for its value in help ("NAME"); empty: a switch
  std::string_view summary;
};

// An app is named by -a or --app, or by the git remote of the directory.
inline constexpr Flag app_flag{"app", 'a', "NAME", "the app; else the git remote says"};
inline constexpr Flag json_flag{"json", 'j', "", "print JSON"};

class Context;

struct Command {
  std::string_view name;     // "ps:scale"
  std::string_view usage;    // "[TYPE=QUANTITY[:SIZE] ...]"
  std::string_view summary;  // one line for the list
  std::string_view help;     // the rest of its manual page, with examples
  std::vector<Flag> flags;
  Result<int> (*run)(Context&);  // exit status
  // A part of the platform with a page here: not in the list, and without the flags of a client.
  bool hidden = false;
  // What follows its first argument is another program's: flags in there are arguments too.
  bool passes_on = false;
};

using TransportMaker =
    std::function<std::unique_ptr<client::Transport>(const std::filesystem::path& ca)>;

// What a command was given. Belongs to one call of a command.
class Context {
 public:
  Context(Terminal& its_terminal, const client::Surroundings& its_surroundings,
          const TransportMaker& transport)
      : terminal(its_terminal), surroundings(its_surroundings), make_transport(transport) {}

  // The server, found when it is first asked for.
  Result<client::Platform*> platform();
  // The app's name: -a, RENGA_APP, or the git remote that points at this server.
  Result<std::string> app();
  // A path below the app: path("/dynos") is "/apps/<name>/dynos".
  Result<std::string> path(std::string_view below = {});
  // The app's newest release; Kind::not_found when it has none.
  Result<boost::json::value> newest_release();

  bool has(const std::string& flag) const { return flags.contains(flag); }
  std::string flag(const std::string& name, std::string otherwise = {}) const {
    const auto found = flags.find(name);
    return found == flags.end() ? otherwise : found->second;
  }

  Terminal& terminal;
  const client::Surroundings& surroundings;
  const TransportMaker& make_transport;
  std::vector<std::string> arguments;        // without flags
  std::map<std::string, std::string> flags;  // by long name; switches are "true"
  std::vector<std::string> rest;             // behind `--`

 private:
  std::unique_ptr<client::Transport> transport_;
  std::unique_ptr<client::Platform> platform_;
};

}  // namespace renga::cli
