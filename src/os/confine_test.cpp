#include "os/confine.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "os/fd.h"

namespace renga::os {
namespace {

namespace fs = std::filesystem;

// What `confined` gives in a process of its own, which it cannot leave again.
int in_child(const std::function<int()>& confined) {
  const auto child = ::fork();
  if (child == 0) {
    try {
      ::_exit(confined());
    } catch (...) {
      ::_exit(99);
    }
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// 0, or why not.
int error_of_opening(const fs::path& path, int flags) {
  const Fd opened(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  return opened ? 0 : errno;
}

std::string line_of(const std::string& file, const std::string& start) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(start)) return line.substr(line.find_last_of('\t') + 1);
  return "";
}

class Confine : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "renga-confine-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    top = name;
    for (const auto* each : {"mine", "shown", "other"}) {
      fs::create_directory(top / each);
      std::ofstream(top / each / "file") << each;
    }
  }
  void TearDown() override { fs::remove_all(top); }
  fs::path top;
};

TEST_F(Confine, OpensOnlyWhatIsInReach) {
  if (!files_can_be_confined()) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(in_child([&] {
              const auto before = ::open((top / "other").c_str(), O_RDONLY | O_DIRECTORY);
              if (!confine_files(
                      {.read = {top / "shown", top / "is not there"}, .write = {top / "mine"}}))
                return 1;
              if (error_of_opening(top / "mine/file", O_RDWR | O_TRUNC) != 0) return 2;
              if (error_of_opening(top / "mine/new", O_WRONLY | O_CREAT) != 0) return 3;
              if (::link((top / "mine/new").c_str(), (top / "mine/second").c_str()) != 0) return 4;
              if (error_of_opening(top / "shown/file", O_RDONLY) != 0) return 5;
              if (error_of_opening(top / "shown/file", O_WRONLY) != EACCES) return 6;
              if (error_of_opening(top / "shown/new", O_WRONLY | O_CREAT) != EACCES) return 7;
              if (error_of_opening(top / "other/file", O_RDONLY) != EACCES) return 8;
              if (error_of_opening(top / "mine/../other/file", O_RDONLY) != EACCES) return 9;
              if (::symlink("../other/file", (top / "mine/link").c_str()) != 0) return 10;
              if (error_of_opening(top / "mine/link", O_RDONLY) != EACCES) return 11;
              if (::unlink((top / "other/file").c_str()) == 0) return 12;
              if (::rename((top / "other/file").c_str(), (top / "mine/taken").c_str()) == 0)
                return 13;
              if (::openat(before, "file", O_RDONLY) >= 0) return 14;
              return 0;
            }),
            0);
}

TEST_F(Confine, HoldsForWhatItStarts) {
  if (!files_can_be_confined()) GTEST_SKIP() << "this kernel has no Landlock";
  const auto cat = [&](const char* file) {
    return in_child([&] {
      confine_files({.read = {"/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", top / "shown"},
                     .write = {"/dev/null"}});
      ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
      ::dup2(STDERR_FILENO, STDOUT_FILENO);
      ::execlp("cat", "cat", (top / file).c_str(), nullptr);
      return 98;
    });
  };
  EXPECT_EQ(cat("shown/file"), 0);
  EXPECT_EQ(cat("other/file"), 1);
}

class GoAlone : public Confine {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    Confine::SetUp();
  }
};

TEST_F(GoAlone, HasNoCapabilitiesNoNetworkAndNoNeighbours) {
  const auto parent = ::getpid();
  EXPECT_EQ(in_child([&] {
              go_alone();
              if (::getpid() != 1) return 1;
              if (line_of("/proc/self/status", "CapEff:") != "0000000000000000") return 2;
              if (line_of("/proc/self/status", "CapBnd:") != "0000000000000000") return 3;
              if (line_of("/proc/self/status", "NoNewPrivs:") != "1") return 4;
              int processes = 0;
              for (const auto& each : fs::directory_iterator("/proc"))
                processes += ::isdigit(each.path().filename().string()[0]) != 0;
              if (processes != 1) return 5;
              if (parent != 1 && ::kill(parent, 0) == 0) return 6;
              int interfaces = 0;  // but for the loopback
              std::ifstream devices("/proc/net/dev");
              for (std::string line; std::getline(devices, line);)
                interfaces += line.find(':') != line.npos && line.find(" lo:") == line.npos;
              return interfaces == 0 ? 0 : 7;
            }),
            0);
}

TEST_F(GoAlone, ProgramsItStartsGetNoCapabilitiesEither) {
  EXPECT_EQ(in_child([] {
              go_alone();
              ::execlp("grep", "grep", "-q", "^CapEff:.0000000000000000$", "/proc/self/status",
                       nullptr);
              return 98;
            }),
            0);
}

TEST_F(GoAlone, EndsAsItsChildEnds) {
  EXPECT_EQ(in_child([] {
              go_alone();
              return 7;
            }),
            7);
  EXPECT_EQ(in_child([] {
              go_alone();
              ::execlp("sh", "sh", "-c", "kill -SEGV $$; sleep 5 & exit 3", nullptr);
              return 98;
            }),
            3)
      << "process 1 takes no signal that it has not asked for";
}

TEST_F(GoAlone, TheWaitingProcessTakesItAlongWhenItIsKilled) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd read_end(ends[0]), write_end(ends[1]);
  const auto child = ::fork();
  if (child == 0) {
    go_alone();
    ::write(ends[1], "x", 1);
    while (true) ::pause();
  }
  write_end.close();
  char byte;
  ASSERT_EQ(::read(read_end.get(), &byte, 1), 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 0) << "the end of its last writer";
}

}  // namespace
}  // namespace renga::os
