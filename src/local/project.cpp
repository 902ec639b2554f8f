#include "local/project.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"

namespace renga::local {
namespace {

constexpr std::size_t size_limit = 64u << 10;  // bytes of a Procfile, as the platform takes them

std::string value_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

}  // namespace

Result<Project> read_project(const std::filesystem::path& directory, const Choices& choices,
                             const Environment& inherited) {
  Project project;
  const auto path = directory / (choices.procfile.empty() ? "Procfile" : choices.procfile);
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown))
    return fail(Kind::invalid, fmt::format("{} is a directory, not a Procfile.", path.string()));
  if (const auto text = os::read_file(path, size_limit + 1)) {
    if (text->size() > size_limit)
      return fail(Kind::too_large,
                  fmt::format("{} is larger than {} KB.", path.string(), size_limit >> 10));
    project.procfile = TRY(Procfile::parse(*text));
  } else if (!choices.start_command.empty()) {
    project.procfile.processes = {{"web", choices.start_command}};
  } else {
    return fail(Kind::not_found,
                fmt::format("There is no {}. Write \"web: command\" into it, name another with -f, "
                            "or give a command with --start-cmd.",
                            path.string()));
  }
  project.env_file = TRY(read_env_files(directory, choices.env_files));
  project.environment = inherited;
  for (const auto& [name, value] : project.env_file) project.environment[name] = value;
  project.port =
      TRY(base_port(choices.port, value_of(project.env_file, "PORT"), value_of(inherited, "PORT")));
  return project;
}

Error become(const std::vector<std::string>& words, const std::filesystem::path& directory,
             const Procfile* procfile, const Environment& environment) {
  auto argv = words;
  if (words.size() == 1) {
    const auto* process = procfile ? procfile->find(words[0]) : nullptr;
    argv = {"/bin/sh", "-c", process ? process->command : words[0]};
  }
  std::vector<std::string> entries;
  for (const auto& [name, value] : environment) entries.push_back(name + "=" + value);
  std::vector<char*> arguments, variables;
  for (auto& word : argv) arguments.push_back(word.data());
  for (auto& entry : entries) variables.push_back(entry.data());
  arguments.push_back(nullptr);
  variables.push_back(nullptr);

  // The program is looked up in the PATH that it will have.
  if (const auto path = value_of(environment, "PATH"); !path.empty())
    ::setenv("PATH", path.c_str(), 1);
  if (::chdir(directory.c_str()) != 0)
    return {Kind::not_found,
            fmt::format("Cannot enter {}: {}.", directory.string(), ::strerrordesc_np(errno))};
  ::signal(SIGPIPE, SIG_DFL);  // ignored here, which a program would inherit
  ::execvpe(arguments[0], arguments.data(), variables.data());
  const auto why = ::strerrordesc_np(errno);
  ::signal(SIGPIPE, SIG_IGN);
  return {Kind::not_found, fmt::format("Cannot run {}: {}.", argv[0], why)};
}

}  // namespace renga::local
