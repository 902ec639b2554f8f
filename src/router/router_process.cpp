// The main thread of the router. It serves one control at a time, the newest that came, and goes on
// without one: the table stays, log lines wait up to a bound. What control may have missed (dynos
// that were retired while it was away) is told again to the next one.
#include "router/router_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <set>

#include "base/fault.h"
#include "base/report.h"
#include "crypto/secret_box.h"
#include "net/event_loop.h"
#include "net/socket.h"
#include "os/privileges.h"
#include "router/certificate_list.h"
#include "router/frames.h"
#include "router/kept_files.h"
#include "router/link_protocol.h"
#include "router/listeners.h"
#include "router/proxy.h"
#include "router/table_keeper.h"

namespace renga::router {

namespace fs = std::filesystem;

namespace {

constexpr const char* certificates_file = "certificates";
constexpr std::string_view certificates_context = "router/certificates";
constexpr std::size_t retired_remembered = 1024;
constexpr std::chrono::milliseconds first_table_wait{1'000};
constexpr int behind_the_loops = 5;                     // niceness
constexpr std::chrono::milliseconds last_words{2'000};  // for control to take the last log lines

}  // namespace

os::Fd take_router_lock(const fs::path& directory) {
  const auto path = directory / "router.lock";
  os::Fd lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) fault("open " + path.string());
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) fault("lock " + path.string());
  return {};
}

struct RouterProcess::State {
  class Door;  // where control connects

  explicit State(RouterProcessOptions o) : options(std::move(o)) {}

  RouterProcessOptions options;
  net::EventLoop loop;
  std::unique_ptr<Door> door;
  std::unique_ptr<FrameSocket> arriving;  // a control that has not been greeted
  std::unique_ptr<FrameSocket> control;
  std::uint64_t control_count = 0;
  std::uint64_t greeted_at = 0;     // the generation that this control was told of
  bool first_table = false;         // of this control is not taken over yet
  std::deque<std::string> retired;  // the last ones
  std::set<std::string> to_wake;    // idle apps that control was told of, or will be

  struct Records {
    std::string bytes;
    std::size_t requests = 0;
  };
  // For a control, until it says that it has taken them: one that dies takes none with it.
  std::deque<Records> waiting;
  std::size_t waiting_bytes = 0;
  std::size_t sent = 0;                 // so many of them, to this control
  std::atomic<std::size_t> posted = 0;  // bytes on their way to this thread
  std::atomic<std::size_t> held = 0;    // bytes that wait here
  std::atomic<std::uint64_t> dropped = 0;

  bool stopping = false;
  bool finishing = false;  // all is said, but control may not have taken it
  std::unique_ptr<crypto::SecretBox> box;
  std::optional<KeptFiles> kept;
  std::unique_ptr<Proxy> proxy;         // its threads use the rest
  std::unique_ptr<TableKeeper> tables;  // last: its thread uses the proxy as well

  void serve();
  void welcome(os::Fd socket);
  void greet();
  void hear(Frame type, std::string payload);
  void read_certificates();
  void take_certificates(const std::string& json);
  void taken_over(std::uint64_t table);
  void dyno_retired(const std::string& dyno);
  void on_log(std::string records, std::size_t requests);
  void send_records();
  void records_taken();
  void stop(Idle idle);
  void finish();
};

class RouterProcess::State::Door final : public net::Watcher {
 public:
  explicit Door(State& state)
      : state_(state),
        socket_(net::listen_unix((state.options.directory / "router.sock").string(), 0600)) {
    state_.loop.add(socket_.get(), *this);
  }
  ~Door() override { state_.loop.remove(socket_.get(), *this); }
  void on_events(std::uint32_t) override {
    while (true) {
      auto accepted = net::accept(socket_.get());
      if (accepted.error != 0) report("router", "control was not let in: out of descriptors");
      if (!accepted.fd) return;
      state_.welcome(std::move(accepted.fd));
    }
  }

 private:
  State& state_;
  os::Fd socket_;
};

void RouterProcess::State::serve() {
  if (!options.lock) options.lock = take_router_lock(options.directory);
  if (!options.lock) {
    throw std::runtime_error("Another router serves from " + options.directory.string() +
                             ". Stop it first, or give this one another directory.");
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(options.lock.get(), 0) != 0 ||
      ::pwrite(options.lock.get(), pid.data(), pid.size(), 0) < 0) {
    fault("write router.lock");
  }
  if (options.sockets.http.empty()) {
    options.sockets.http = open_listeners(options.http, options.threads);
  }
  if (options.sockets.https.empty() && !options.https.empty()) {
    options.sockets.https = open_listeners(options.https, options.threads);
  }

  if (!options.secret_key.empty()) box = std::make_unique<crypto::SecretBox>(options.secret_key);
  kept.emplace(options.directory / "kept", options.user);
  door = std::make_unique<Door>(*this);
  // All that needs root is open. From here on strangers' bytes are read.
  if (options.user != 0) os::become_user(options.user);

  proxy = std::make_unique<Proxy>(
      options.limits, options.threads,
      ProxyEvents{
          .on_log = [this](std::string records,
                           std::size_t requests) { on_log(std::move(records), requests); },
          .on_taken_over =
              [this](std::uint64_t table) { loop.post([this, table] { taken_over(table); }); },
          .on_retired =
              [this](const std::string& dyno) { loop.post([this, dyno] { dyno_retired(dyno); }); },
          .on_wake =
              [this](const std::string& app) {
                loop.post([this, app] {
                  to_wake.insert(app);
                  if (control) control->send(Frame::wake, app);
                });
              }});
  // A large table, whose bytes come through here, must not take the processor from the loops. Of
  // this thread alone, as Linux has it, and of those that it starts from here on.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), behind_the_loops);
  read_certificates();
  const auto accept = [this] {
    if (!stopping) proxy->accept(options.sockets);
  };
  const auto tell = [this](Frame frame, std::string payload) {
    loop.post([this, frame, payload = std::move(payload)] {
      if (control) control->send(frame, payload);
    });
  };
  tables = std::make_unique<TableKeeper>(
      *proxy, *kept,
      TableKeeper::Events{.on_table = [this, accept] { loop.post(accept); },
                          .on_gap = [tell] { tell(Frame::need_table, {}); },
                          .on_known =
                              [tell](std::uint64_t generation) {
                                tell(Frame::taken_over, std::to_string(generation));
                              }});
  // Without a table everybody would be told that there is no such app. Control sends one at once,
  // if there is a control and if it has any apps.
  const bool has_table = proxy->table()->generation() > 0;
  loop.after(has_table ? std::chrono::milliseconds(0) : first_table_wait, accept);
  loop.on_idle([this] { held = waiting_bytes; });
}

// A control that connects replaces the one before, which may be dead without our knowing. It is
// greeted once all that the one before has sent is dealt with: so what it hears of tables is of its
// own, and every table of its own has a higher generation.
void RouterProcess::State::welcome(os::Fd socket) {
  const auto count = ++control_count;
  control.reset();
  arriving = std::make_unique<FrameSocket>(
      loop, std::move(socket),
      FrameEvents{.on_frame = [this](Frame type, std::string payload,
                                     std::vector<os::Fd>) { hear(type, std::move(payload)); },
                  .on_closed =
                      [this, count](const std::string&) {
                        if (count != control_count) return;
                        arriving.reset();
                        control.reset();
                      }});
  tables->when_done([this, count] {
    loop.post([this, count] {
      if (count == control_count && arriving) greet();
    });
  });
}

void RouterProcess::State::greet() {
  control = std::move(arriving);
  first_table = true;
  greeted_at = proxy->table()->generation();
  sent = 0;
  const auto& https = options.sockets.https;
  const Hello hello{.version = protocol_version,
                    .pid = ::getpid(),
                    .http = options.http,
                    .address = net::local_address(options.sockets.http[0].get()).text(),
                    .https = options.https,
                    .https_address = https.empty() ? "" : net::local_address(https[0].get()).text(),
                    .http_sockets = options.sockets.http.size(),
                    .generation = greeted_at};
  std::vector<int> descriptors;
  for (const auto& one : options.sockets.http) descriptors.push_back(one.get());
  for (const auto& one : https) descriptors.push_back(one.get());
  control->send_first(Frame::hello, to_json(hello), descriptors);
  send_records();
}

void RouterProcess::State::hear(Frame type, std::string payload) {
  switch (type) {
    case Frame::table:
      return tables->take_table(std::move(payload));
    case Frame::change:
      return tables->take_change(std::move(payload));
    case Frame::certificates:
      return take_certificates(payload);
    case Frame::stop:
      return stop(Idle::close_at_once);
    case Frame::hand_over:
      return stop(Idle::may_ask_once_more);
    case Frame::ping:
      if (control) control->send(Frame::pong, payload);
      return;
    case Frame::records_taken:
      return records_taken();
    case Frame::ask_figures:
      return proxy->figures([this](const RouterFigures& figures) {
        loop.post([this, text = to_json(figures)] {
          if (control) control->send(Frame::figures, text);
        });
      });
    case Frame::ask_turns:
      return proxy->turns([this](const Durations& turns) {
        loop.post([this, text = fmt::format("[{}]", fmt::join(turns.counts, ","))] {
          if (control) control->send(Frame::turns, text);
        });
      });
    default:
      report("router", "control said something that this router does not understand");
  }
}

// There are private keys in it, so it is sealed, as everything secret in the data directory is.
void RouterProcess::State::read_certificates() {
  const auto saved = box ? kept->read(certificates_file) : std::nullopt;
  if (!saved) return;
  try {
    const auto list = parse_certificates(box->open(*saved, certificates_context));
    if (!list) return report("router", list.error().message);
    proxy->set_certificates(*list);
  } catch (const std::exception& wrong) {
    report("router", std::string("the certificates of the last start are lost until control sends "
                                 "them again: ") +
                         wrong.what());
  }
}

void RouterProcess::State::take_certificates(const std::string& json) {
  const auto list = parse_certificates(json);
  if (!list) return report("router", list.error().message);
  proxy->set_certificates(*list);
  if (!box) return;
  try {
    kept->write(certificates_file, box->seal(json, certificates_context));
  } catch (const std::exception& wrong) {
    report("router",
           std::string("the certificates could not be kept for the next start: ") + wrong.what());
  }
}

void RouterProcess::State::taken_over(std::uint64_t generation) {
  tables->drop_old_tables();
  const auto table = proxy->table();
  std::erase_if(to_wake, [&](const std::string& id) {
    const auto* app = table->find_app(id);
    return app == nullptr || !(*app)->route.idle;
  });
  if (!control) return;
  control->send(Frame::taken_over, std::to_string(generation));
  if (generation <= greeted_at || !std::exchange(first_table, false)) return;
  for (const auto& dyno : retired) {
    if (!table->names_dyno(dyno)) control->send(Frame::retired, dyno);
  }
  for (const auto& app : to_wake) control->send(Frame::wake, app);
}

void RouterProcess::State::dyno_retired(const std::string& dyno) {
  if (proxy->table()->names_dyno(dyno)) return;
  retired.push_back(dyno);
  if (retired.size() > retired_remembered) retired.pop_front();
  if (control) control->send(Frame::retired, dyno);
}

// On a loop's thread.
void RouterProcess::State::on_log(std::string records, std::size_t requests) {
  if (posted + held + records.size() > options.limits.log_backlog) {
    dropped += requests;
    return;
  }
  posted += records.size();
  loop.post([this, records = std::move(records), requests]() mutable {
    posted -= records.size();
    waiting_bytes += records.size();
    waiting.push_back({std::move(records), requests});
    send_records();
  });
}

void RouterProcess::State::send_records() {
  if (!control) return;
  for (; sent < waiting.size(); ++sent) control->send(Frame::records, waiting[sent].bytes);
  if (const auto count = dropped.exchange(0); count > 0) {
    control->send(Frame::dropped, std::to_string(count));
  }
}

void RouterProcess::State::records_taken() {
  if (sent == 0) return;
  --sent;
  waiting_bytes -= waiting.front().bytes.size();
  waiting.pop_front();
  if (finishing && waiting.empty()) loop.stop();
}

// The socket and the lock are let go of first: another router may take them while this one
// finishes.
void RouterProcess::State::stop(Idle idle) {
  if (std::exchange(stopping, true)) return;
  door.reset();
  options.lock.close();
  proxy->drain(idle, options.drain, [this] { loop.post([this] { finish(); }); });
}

void RouterProcess::State::finish() {
  send_records();
  if (!control || waiting.empty()) return loop.stop();
  finishing = true;
  loop.after(last_words, [this] { loop.stop(); });
}

RouterProcess::RouterProcess(RouterProcessOptions options)
    : state_(std::make_unique<State>(std::move(options))) {
  state_->serve();
}

RouterProcess::~RouterProcess() = default;

// Whatever control's side does wrong must not end the router.
void RouterProcess::run() {
  while (true) {
    try {
      return state_->loop.run();
    } catch (const std::exception& wrong) {
      report("router", std::string("control was cut off: ") + wrong.what());
      state_->control.reset();
    }
  }
}

void RouterProcess::stop() {
  state_->loop.post([this] { state_->stop(Idle::close_at_once); });
}

}  // namespace renga::router
