// Control's side with real router processes: this program run as `renga router`.
#include "router/router_link.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "router/router_launch.h"
#include "router/router_process.h"
#include "router/testing/edge.h"

namespace renga::router::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string get = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";

// Control, as far as the router can tell.
class Control {
 public:
  explicit Control(const std::filesystem::path& directory, const std::string& http = "127.0.0.1:0")
      : link({.program = "/proc/self/exe", .directory = directory, .http = http, .threads = 2},
             {.on_request =
                  [this](const RequestLogLine& line) {
                    const std::lock_guard lock(mutex_);
                    lines_.push_back(line);
                    changed_.notify_all();
                  },
              .on_retired =
                  [this](const std::string& dyno) {
                    const std::lock_guard lock(mutex_);
                    retired_.push_back(dyno);
                    changed_.notify_all();
                  },
              .on_dropped = {}}) {}

  RequestLogLine next_line() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, milliseconds(10'000), [&] { return !lines_.empty(); })) {
      throw std::runtime_error("no line came");
    }
    auto line = lines_.front();
    lines_.erase(lines_.begin());
    return line;
  }
  bool retired(const std::string& dyno, milliseconds limit = milliseconds(10'000)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] {
      return std::find(retired_.begin(), retired_.end(), dyno) != retired_.end();
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<RequestLogLine> lines_;
  std::vector<std::string> retired_;

 public:
  RouterLink link;  // last: its thread uses the rest
};

RouteTable table_of(std::vector<Backend> backends) {
  RouteTable table;
  table.routes = {app("shop", std::move(backends))};
  table.hosts = {{"shop.test", 0}};
  return table;
}

// Returns once none of them runs, and so none accepts.
void stop_all_threads(int pid) {
  ::kill(pid, SIGSTOP);
  for (int tries = 0; tries < 5'000; ++tries) {
    bool all = true;
    for (const auto& task :
         std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
      std::ifstream file(task.path() / "stat");
      const std::string stat(std::istreambuf_iterator<char>(file), {});
      all = all && stat.substr(stat.rfind(')') + 2, 1) == "T";
    }
    if (all) return;
    ::usleep(1'000);
  }
}

class RouterLinkTest : public ::testing::Test {
 protected:
  RouterLinkTest() {
    char name[] = "/tmp/renga-router-XXXXXX";
    directory = ::mkdtemp(name);
    directory /= "router";
  }
  ~RouterLinkTest() override {
    if (const int pid = running_router(directory); pid > 0) ::kill(pid, SIGKILL);
    std::filesystem::remove_all(directory.parent_path());
  }
  Wire client(const std::string& address) {
    auto socket = net::connect_tcp(address, milliseconds(10'000));
    if (!socket) throw std::runtime_error(socket.error().message);
    return Wire(*std::move(socket));
  }
  // Asks until the table has got through. A request that waits for a router is waited for: one that
  // was given up would still come to the dyno, from the next router.
  void expect_served(const std::string& address) {
    for (int tries = 0; tries < 200; ++tries) {
      auto asking = client(address);
      asking.write(get);
      while (dyno.nobody_comes(milliseconds(10)) && asking.silent(milliseconds(10))) {
      }
      if (!asking.silent(milliseconds(0))) continue;  // no such app, as yet
      auto connection = dyno.accept();
      connection.read_until("\r\n\r\n");
      connection.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
      EXPECT_EQ(read_answer(asking).body, "ok");
      return;
    }
    FAIL() << "not served";
  }
  void kill_router() {
    const int pid = running_router(directory);
    ASSERT_GT(pid, 0);
    ::kill(pid, SIGKILL);
    // Until it is gone it may still accept.
    for (int i = 0; i < 5'000 && running_router(directory) == pid; ++i) ::usleep(1'000);
  }
  std::filesystem::path directory;
  Upstream dyno;
};

TEST_F(RouterLinkTest, StartsARouterAndHearsItsLog) {
  Control control(directory);
  const auto address = control.link.start().http;
  EXPECT_THAT(address, StartsWith("127.0.0.1:"));
  control.link.send(table_of({dyno.backend("dyno-1")}));
  expect_served(address);
  const auto line = control.next_line();
  EXPECT_EQ(line.app, "app-shop");
  EXPECT_GT(line.at, 1'700'000'000'000'000);
  EXPECT_THAT(line.message, HasSubstr(" status=200 bytes=2 "));

  control.link.send(table_of({}));
  EXPECT_TRUE(control.retired("dyno-1"));
  control.link.stop();
  EXPECT_EQ(running_router(directory), 0);
  EXPECT_FALSE(net::connect_tcp(address, milliseconds(1'000))) << "nobody listens any more";
}

TEST_F(RouterLinkTest, AKilledRouterLosesNoConnectionThatWaits) {
  Control control(directory);
  const auto address = control.link.start().http;
  control.link.send(table_of({dyno.backend("dyno-1")}));
  expect_served(address);
  const int first = running_router(directory);
  stop_all_threads(first);
  auto waiting = client(address);
  waiting.write(get);
  ::kill(first, SIGKILL);
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  connection.write(ok);
  EXPECT_EQ(read_answer(waiting).body, "ok");
  EXPECT_NE(running_router(directory), first);
  control.link.stop();
}

TEST_F(RouterLinkTest, ARouterOutlivesControlAndIsTakenUpAgain) {
  std::string address;
  int pid = 0;
  {
    Control control(directory);
    address = control.link.start().http;
    control.link.send(table_of({dyno.backend("dyno-1"), dyno.backend("dyno-2")}));
    expect_served(address);
    pid = running_router(directory);
  }
  EXPECT_EQ(running_router(directory), pid);
  expect_served(address);

  Control back(directory);
  EXPECT_EQ(back.link.start().http, address);
  EXPECT_EQ(running_router(directory), pid);
  EXPECT_THAT(back.next_line().message, HasSubstr(" status=200 "))
      << "logged while nobody was there";
  auto table = table_of({dyno.backend("dyno-1")});
  table.retiring = {"dyno-0"};
  back.link.send(std::move(table));
  EXPECT_TRUE(back.retired("dyno-2"));
  EXPECT_TRUE(back.retired("dyno-0"));
  expect_served(address);

  // It has got the sockets back, so it can start another router on them.
  kill_router();
  expect_served(address);
  back.link.stop();
}

TEST_F(RouterLinkTest, WhatWasRetiredWhileControlWasAwayIsToldAgain) {
  auto first = std::make_unique<Control>(directory);
  const auto address = first->link.start().http;
  first->link.send(table_of({dyno.backend("dyno-1")}));
  expect_served(address);
  auto asking = client(address);
  asking.write(get);
  auto connection = dyno.accept();
  connection.read_until("\r\n\r\n");
  first->link.send(table_of({}));
  EXPECT_FALSE(first->retired("dyno-1", milliseconds(200)));
  first.reset();
  connection.write(ok);
  EXPECT_EQ(read_answer(asking).body, "ok");
  ::usleep(50'000);

  Control back(directory);
  back.link.start().http;
  back.link.send(table_of({}));
  EXPECT_TRUE(back.retired("dyno-1"));
  back.link.stop();
}

TEST_F(RouterLinkTest, ARouterWithoutControlServesByItsFile) {
  std::filesystem::create_directories(directory / "kept");
  auto table = table_of({dyno.backend("dyno-1")});
  table.generation = 41;
  std::ofstream(directory / "kept/routes.json") << to_json(table);
  // Started by hand: it opens its own sockets, which control takes over when it comes.
  const RouterLinkOptions options{
      .program = "/proc/self/exe", .directory = directory, .http = "127.0.0.1:0"};
  auto listener = net::listen_tcp("127.0.0.1:0", net::Port::shared);
  const auto address = net::local_address(listener.get()).text();
  const auto lock = take_router_lock(directory);
  Sockets listeners;
  listeners.http.push_back(std::move(listener));
  const int pid = launch_router(options, listeners, lock);
  expect_served(address);
  ::kill(pid, SIGTERM);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(RouterLinkTest, AnotherAddressGetsAnotherRouter) {
  std::string first_address;
  {
    Control control(directory);
    first_address = control.link.start().http;
  }
  const int first = running_router(directory);
  const auto wanted = "127.0.0.1:" + std::to_string(dead_port());
  Control control(directory, wanted);
  EXPECT_EQ(control.link.start().http, wanted);
  EXPECT_NE(running_router(directory), first);
  control.link.send(table_of({dyno.backend("dyno-1")}));
  expect_served(wanted);
  control.link.stop();
}

TEST_F(RouterLinkTest, AnAddressThatIsTakenIsSaid) {
  const auto taken = net::listen_tcp("127.0.0.1:0");
  Control control(directory, net::local_address(taken.get()).text());
  EXPECT_THROW(control.link.start().http, std::system_error);
}

// Tables that come faster than they are taken over are one change; the last is what counts, also
// when the router dies and control comes anew in the middle.
TEST_F(RouterLinkTest, ManyTablesEndAsTheLast) {
  auto control = std::make_unique<Control>(directory);
  const auto address = control->link.start().http;
  const auto other = [](int i) {
    auto route = app("other-" + std::to_string(i), {});
    route.maintenance = true;
    return route;
  };
  const auto table = [&](int i, bool last) {
    auto made = table_of(last ? std::vector{dyno.backend("dyno-last")}
                              : std::vector{dyno.backend("dyno-" + std::to_string(i))});
    for (int one = i; one < i + 20; ++one) {
      made.hosts["other-" + std::to_string(one) + ".test"] = made.routes.size();
      made.routes.push_back(other(one));
    }
    return made;
  };
  for (int i = 0; i < 60; ++i) {
    control->link.send(table(i, false));
    if (i == 20) kill_router();
    if (i == 30) expect_served(address);
    if (i == 40) {
      control.reset();
      control = std::make_unique<Control>(directory);
      EXPECT_EQ(control->link.start().http, address);
    }
  }
  control->link.send(table(100, true));
  EXPECT_TRUE(control->retired("dyno-59"));
  expect_served(address);
  auto asking = client(address);
  asking.write("GET / HTTP/1.1\r\nHost: other-119.test\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(asking.read_all(), HasSubstr("503"));
  auto gone = client(address);
  gone.write("GET / HTTP/1.1\r\nHost: other-59.test\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(gone.read_all(), HasSubstr("404"));
  control->link.stop();
}

TEST_F(RouterLinkTest, ManyKillsLoseNothingButWhatWasUnderWay) {
  Control control(directory);
  const auto address = control.link.start().http;
  control.link.send(table_of({dyno.backend("dyno-1")}));
  for (int i = 0; i < 3; ++i) {
    expect_served(address);
    kill_router();
  }
  expect_served(address);
  control.link.stop();
}

}  // namespace
}  // namespace renga::router::testing
