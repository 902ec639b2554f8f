// One thread works towards one aim: a connection to a router that serves where it should, by the
// newest table. Whenever there is none it looks: does a router answer? Else, is the lock free, so
// that one may be started? Else one is starting or ending, and a moment later the same is asked
// again; one that neither answers nor ends for long is killed. So it does not matter how things
// came to be as they are: a first start, a control that has come back, a router that was killed,
// two of these at once.
#include "router/router_link.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <condition_variable>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "base/fault.h"
#include "base/locked.h"
#include "base/report.h"
#include "net/event_loop.h"
#include "net/socket.h"
#include "router/certificate_list.h"
#include "router/frames.h"
#include "router/link_protocol.h"
#include "router/listeners.h"
#include "router/log_records.h"
#include "router/router_launch.h"
#include "router/router_process.h"
#include "router/told_routes.h"

namespace renga::router {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds look_again{20};
constexpr milliseconds ping_every{5'000};
// Without an answer to so many pings it is killed. Counted, not timed: when control itself was
// stopped for a while, that is not the router's fault.
constexpr int most_unanswered = 6;
constexpr milliseconds stuck{40'000};     // holds the lock without answering: longer than a drain
constexpr milliseconds first_pause{100};  // before starting one that has died; doubled each time
constexpr milliseconds longest_pause{5'000};
constexpr milliseconds healthy{10'000};  // after which a router's death is the first again
constexpr milliseconds stop_limit{35'000};

}  // namespace

struct RouterLink::State {
  State(RouterLinkOptions o, RouterEvents e) : options(std::move(o)), events(std::move(e)) {}

  RouterLinkOptions options;
  const RouterEvents events;

  struct Shared {
    Addresses addresses;  // once a router has answered
    std::string problem;  // the last
    bool ended = false;   // the router has, as stop() asked
  };
  Locked<Shared> shared;
  std::condition_variable changed;

  // The rest belongs to the thread.
  net::EventLoop loop;
  Sockets sockets;
  std::unique_ptr<FrameSocket> router;
  std::uint64_t connections = 0;
  // Routers that have handed over and finish what they have under way: their log is still heard,
  // and no dyno is retired before they are gone, since they may be at work with it.
  std::map<std::uint64_t, std::unique_ptr<FrameSocket>> leaving;
  std::set<std::string> retired_meanwhile;
  int router_pid = 0;
  bool greeted = false;
  bool had_sockets = false;  // opened here, or handed over by a router
  std::set<int> children;    // routers to be reaped, if they are ours
  net::TimerId look_timer = 0;
  net::TimerId watch_timer = 0;
  milliseconds pause{0};
  std::chrono::steady_clock::time_point started_at, unanswered_since;
  int unanswered_pings = 0;
  bool stopping = false;

  std::uint64_t generation = 0;
  ToldRoutes routes;
  bool has_table = false;  // `routes` has been given all there is
  // What the router has been told of it. One table or change is under way at a time: what comes
  // meanwhile is one change afterwards.
  bool knows_table = false;  // else it is sent whole
  std::uint64_t told = 0;    // the generation sent last
  bool under_way = false;    // it is not taken over yet
  bool unsent = false;       // there is a newer one
  std::optional<std::vector<net::NamedCertificate>> certificates;
  // Those who wait for figures; whatever comes next is for all of them.
  using Figures = std::promise<Result<RouterFigures>>;
  std::vector<std::shared_ptr<Figures>> asking;

  std::thread thread;  // last

  void look();
  void look_later(milliseconds delay);
  void reap();
  void launch(const os::Fd& lock);
  void connect(os::Fd socket);
  void lost(const std::string& why);
  void problem(const std::string& what);
  void hear(Frame type, const std::string& payload, std::vector<os::Fd> descriptors);
  void hear_leaving(std::uint64_t connection, Frame type, const std::string& payload);
  void has_left(std::uint64_t connection);
  void take_records(FrameSocket& from, const std::string& records);
  void take_retired(const std::string& dyno);
  void greet(const Hello& hello, std::vector<os::Fd> descriptors);
  void replace(Frame how, const std::string& why);
  void watch();
  void send_table();
  void take(RouteTable table);
  void take(std::vector<AppRoute> apps, const std::vector<std::string>& gone);
  void tell_figures(const Result<RouterFigures>& figures);
};

void RouterLink::State::problem(const std::string& what) {
  report("router link", what);
  shared.lock()->problem = what;
}

void RouterLink::State::look_later(milliseconds delay) {
  loop.cancel(look_timer);
  look_timer = loop.after(delay, [this] {
    look_timer = 0;
    try {
      look();
    } catch (const std::exception& wrong) {
      problem(std::string("the router could not be started: ") + wrong.what());
      pause = std::min(std::max(pause * 2, first_pause), longest_pause);
      look_later(pause);
    }
  });
}

void RouterLink::State::reap() {
  std::erase_if(children, [](int pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
}

void RouterLink::State::look() {
  reap();
  if (router) return;
  if (auto socket = net::connect_unix((options.directory / "router.sock").string())) {
    return connect(*std::move(socket));
  }
  if (const auto lock = take_router_lock(options.directory)) {
    if (!stopping) return launch(lock);
    // It lets go of the lock before it has finished.
    if (running_router(options.directory) > 0) return look_later(look_again);
    reap();
    shared.lock()->ended = true;
    changed.notify_all();
    return;
  }
  const auto now = loop.now();
  if (unanswered_since == std::chrono::steady_clock::time_point()) unanswered_since = now;
  if (now - unanswered_since > stuck) {
    unanswered_since = now;
    if (const int pid = running_router(options.directory); pid > 0) {
      problem("the router neither answers nor ends; it is killed");
      ::kill(pid, SIGKILL);
    }
  }
  look_later(look_again);
}

void RouterLink::State::launch(const os::Fd& lock) {
  const auto now = loop.now();
  auto threads = options.threads > 0 ? options.threads : std::thread::hardware_concurrency();
  threads = std::clamp<std::size_t>(threads, 1, 32);
  if (sockets.http.empty()) sockets.http = open_listeners(options.http, threads);
  if (sockets.https.empty() && !options.https.empty()) {
    sockets.https = open_listeners(options.https, threads);
  }
  const bool died_young =
      started_at != std::chrono::steady_clock::time_point() && now - started_at < healthy;
  if (!died_young) pause = {};
  if (died_young && now - started_at < pause) {
    return look_later(std::chrono::ceil<milliseconds>(pause - (now - started_at)));
  }
  pause = std::min(std::max(pause * 2, first_pause), longest_pause);
  had_sockets = true;
  children.insert(launch_router(options, sockets, lock));
  started_at = now;
  unanswered_since = {};
  look_later(look_again);
}

void RouterLink::State::connect(os::Fd socket) {
  const auto count = ++connections;
  greeted = false;
  unanswered_pings = 0;
  router = std::make_unique<FrameSocket>(
      loop, std::move(socket),
      FrameEvents{
          .on_frame =
              [this, count](Frame type, std::string payload, std::vector<os::Fd> descriptors) {
                if (count != connections) return hear_leaving(count, type, payload);
                hear(type, payload, std::move(descriptors));
              },
          .on_closed =
              [this, count](const std::string& why) {
                if (count == connections && router) return lost(why);
                loop.post([this, count] { has_left(count); });
              }});
}

void RouterLink::State::lost(const std::string& why) {
  router.reset();
  tell_figures(fail(Kind::unavailable, "The router has just ended; another is started."));
  router_pid = 0;
  unanswered_since = {};
  if (!stopping) report("router link", "the connection to the router is gone: " + why);
  look_later(milliseconds(0));
}

void RouterLink::State::hear(Frame type, const std::string& payload,
                             std::vector<os::Fd> descriptors) {
  unanswered_pings = 0;
  switch (type) {
    case Frame::hello: {
      const auto hello = parse_hello(payload);
      if (!hello) return replace(Frame::hand_over, hello.error().message);
      return greet(*hello, std::move(descriptors));
    }
    case Frame::records:
      return take_records(*router, payload);
    case Frame::retired:
      return take_retired(payload);
    case Frame::wake:
      return events.on_wake(payload);
    case Frame::dropped:
      report("router link", payload + " requests were not logged: their lines came too fast");
      events.on_dropped(std::strtoull(payload.c_str(), nullptr, 10));
      return;
    case Frame::figures:
      return tell_figures(parse_figures(payload));
    case Frame::taken_over:
      if (std::strtoull(payload.c_str(), nullptr, 10) < told) return;
      under_way = false;
      return send_table();
    case Frame::need_table:
      report("router link", "the router asks for the whole table");
      unsent = true;
      knows_table = under_way = false;
      return send_table();
    case Frame::pong:
      return;
    default:
      report("router link", "the router said something that this control does not understand");
  }
}

void RouterLink::State::hear_leaving(std::uint64_t connection, Frame type,
                                     const std::string& payload) {
  const auto found = leaving.find(connection);
  if (type == Frame::records && found != leaving.end()) take_records(*found->second, payload);
}

void RouterLink::State::has_left(std::uint64_t connection) {
  if (leaving.erase(connection) == 0 || !leaving.empty()) return;
  for (const auto& dyno : std::exchange(retired_meanwhile, {})) take_retired(dyno);
}

void RouterLink::State::take_records(FrameSocket& from, const std::string& records) {
  const bool whole = for_each_log_record(
      records, [&](std::string_view app, std::int64_t at, std::string_view message) {
        events.on_request({std::string(app), at, std::string(message)});
      });
  if (!whole) report("router link", "the router's log was not understood");
  from.send(Frame::records_taken, {});
}

void RouterLink::State::take_retired(const std::string& dyno) {
  if (!leaving.empty()) {
    retired_meanwhile.insert(dyno);
    return;
  }
  if (routes.retired(dyno)) events.on_retired(dyno);
}

void RouterLink::State::greet(const Hello& hello, std::vector<os::Fd> descriptors) {
  router_pid = hello.pid;
  // The program that we were before a restart in place may have started it.
  children.insert(hello.pid);
  greeted = true;
  generation = std::max(generation, hello.generation);
  if (stopping) return router->send(Frame::stop, {});
  // Asked for in other words ("port 0", then the port it got), it is the same place.
  const bool elsewhere = hello.http != options.http && hello.address != options.http;
  const bool https_elsewhere = hello.https != options.https && hello.https_address != options.https;
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    const bool http = i < hello.http_sockets;
    if ((http ? elsewhere : https_elsewhere) || had_sockets) continue;
    (http ? sockets.http : sockets.https).push_back(std::move(descriptors[i]));
  }
  had_sockets = had_sockets || !elsewhere;
  if (elsewhere) return replace(Frame::stop, "it serves at " + hello.http);
  if (https_elsewhere) {
    return replace(Frame::hand_over,
                   hello.https.empty() ? "it does not serve https" : "https was at " + hello.https);
  }
  if (hello.version != protocol_version) return replace(Frame::hand_over, "it is another version");
  if (runs_another_program(hello.pid, options.program)) {
    return replace(Frame::hand_over, "it runs an older program");
  }
  {
    auto now = shared.lock();
    now->addresses = {hello.address, hello.https_address};
    changed.notify_all();
  }
  if (certificates) router->send(Frame::certificates, to_json(*certificates));
  unsent = has_table;
  knows_table = under_way = false;
  send_table();
}

// Has the router end, and another take its place. With the same sockets no client notices.
void RouterLink::State::replace(Frame how, const std::string& why) {
  report("router link", "another router is started: " + why);
  router->send(how, {});
  // The connection makes room for the next router's. Its own destructor may be on the stack.
  leaving[connections] = std::move(router);
  const auto count = ++connections;
  loop.post([this, count] {
    if (count != connections) return;
    lost("it was replaced");
    look_later(look_again);  // it still has to hear of it
  });
}

void RouterLink::State::watch() {
  watch_timer = loop.after(ping_every, [this] { watch(); });
  reap();
  if (!router) return;
  if (++unanswered_pings > most_unanswered) {
    const int pid = running_router(options.directory);
    problem("the router does not answer; it is killed");
    if (pid > 0) ::kill(pid, SIGKILL);
    ++connections;
    return lost("it did not answer");
  }
  router->send(Frame::ping, {});
}

void RouterLink::State::take(RouteTable table) {
  const bool first = !std::exchange(has_table, true);
  unsent = routes.take(std::move(table)) || first || unsent;
  send_table();
}

void RouterLink::State::take(std::vector<AppRoute> apps, const std::vector<std::string>& gone) {
  // The table that follows has them.
  if (!has_table) return;
  unsent = routes.take(std::move(apps), gone) || unsent;
  send_table();
}

void RouterLink::State::send_table() {
  if (!router || !greeted || !unsent || under_way) return;
  ++generation;
  if (knows_table) {
    router->send(Frame::change, to_json(routes.change(told, generation)));
  } else {
    router->send(Frame::table, to_json(routes.whole(generation)));
  }
  knows_table = under_way = true;
  unsent = false;
  told = generation;
}

RouterLink::RouterLink(RouterLinkOptions options, RouterEvents events)
    : state_(std::make_unique<State>(std::move(options), std::move(events))) {}

RouterLink::~RouterLink() {
  if (!state_->thread.joinable()) return;
  state_->loop.stop();
  state_->thread.join();
}

RouterLink::Addresses RouterLink::start() {
  auto& state = *state_;
  if (state.thread.joinable()) throw std::logic_error("a router link is started once");
  std::filesystem::create_directories(state.options.directory);
  std::filesystem::permissions(state.options.directory, std::filesystem::perms::owner_all);
  // The first look is taken here, so that an address that cannot be had is said at once.
  state.look();
  state.watch_timer = state.loop.after(ping_every, [&state] { state.watch(); });
  state.thread = std::thread([&state] {
    // An event's handler may throw, or the router say what nobody understands: go on.
    while (true) {
      try {
        return state.loop.run();
      } catch (const std::exception& wrong) {
        state.problem(wrong.what());
      }
    }
  });
  auto now = state.shared.lock();
  if (!now.wait_for(state.changed, state.options.start_limit,
                    [&] { return !now->addresses.http.empty(); })) {
    throw std::runtime_error("The router did not start: " +
                             (now->problem.empty() ? "it does not answer" : now->problem) +
                             ". Its log is " + (state.options.directory / "router.log").string() +
                             ".");
  }
  return now->addresses;
}

void RouterLink::send(RouteTable table) {
  state_->loop.post([state = state_.get(), table = std::move(table)]() mutable {
    state->take(std::move(table));
  });
}

void RouterLink::send(std::vector<AppRoute> apps, std::vector<std::string> gone) {
  state_->loop.post([state = state_.get(), apps = std::move(apps),
                     gone = std::move(gone)]() mutable { state->take(std::move(apps), gone); });
}

void RouterLink::send(std::vector<net::NamedCertificate> certificates) {
  state_->loop.post([state = state_.get(), certificates = std::move(certificates)]() mutable {
    state->certificates = std::move(certificates);
    if (!state->router || !state->greeted) return;
    state->router->send(Frame::certificates, to_json(*state->certificates));
  });
}

void RouterLink::State::tell_figures(const Result<RouterFigures>& figures) {
  for (const auto& one : std::exchange(asking, {})) one->set_value(figures);
}

Result<RouterFigures> RouterLink::figures(milliseconds limit) {
  const auto asked = std::make_shared<State::Figures>();
  auto answer = asked->get_future();
  state_->loop.post([state = state_.get(), asked] {
    state->asking.push_back(asked);
    if (!state->router || !state->greeted) {
      return state->tell_figures(fail(Kind::unavailable, "There is no router at the moment."));
    }
    state->router->send(Frame::ask_figures, {});
  });
  if (answer.wait_for(limit) == std::future_status::ready) return answer.get();
  return fail(Kind::unavailable, "The router has not told its figures in time.");
}

void RouterLink::stop() {
  auto& state = *state_;
  if (!state.thread.joinable()) return;
  state.loop.post([&state] {
    state.stopping = true;
    state.sockets = {};
    if (state.router) {
      state.router->send(Frame::stop, {});
    } else {
      state.look_later(milliseconds(0));
    }
  });
  auto now = state.shared.lock();
  if (now.wait_for(state.changed, stop_limit, [&] { return now->ended; })) return;
  const int pid = running_router(state.options.directory);
  report("router link", "the router does not end; it is killed");
  if (pid > 0) ::kill(pid, SIGKILL);
  now.wait_for(state.changed, milliseconds(5'000), [&] { return now->ended; });
}

}  // namespace renga::router
