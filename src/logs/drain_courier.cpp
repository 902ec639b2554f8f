// One thread, one epoll: libcurl says which sockets it waits for and until when
// (curl_multi_socket_action), and each flow says when it wants to be called next. What comes from
// other threads, drains that come and go, and the news that lines arrived, waits in a list behind
// an eventfd.
#include "logs/drain_courier.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "base/fault.h"
#include "base/locked.h"
#include "base/report.h"
#include "logs/drain_flow.h"
#include "os/fd.h"

namespace renga::logs {
namespace {

constexpr std::chrono::seconds after_trouble{1};
constexpr long most_idle_connections = 1'024;

int wait_of(std::optional<SteadyTime> until, SteadyTime now) {
  if (!until) return 60'000;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - now).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 60'000));
}

}  // namespace

struct DrainCourier::State {
  struct Kept {
    const std::string* id = nullptr;  // its key in `flows`
    std::unique_ptr<DrainFlow> flow;
    std::uint64_t published = 0;       // its place in `places`
    std::optional<SteadyTime> queued;  // its entry in `due`
    int watched = -1;                  // its full socket, in `epoll`
    bool busy = false;                 // counted in `busy`
  };
  struct Change {
    std::string id;
    std::optional<DrainTarget> added;  // nothing: removed
  };
  struct Inbox {
    bool stop = false;
    bool rung = false;
    std::vector<Change> changes;
    std::set<std::string> arrived;
  };

  State(LogStore& given_store, Clock& given_clock, DrainCourierOptions given)
      : store(given_store),
        clock(given_clock),
        options(std::move(given)),
        pace(options.gather),
        epoll(::epoll_create1(EPOLL_CLOEXEC)),
        wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        multi((curl_global_init(CURL_GLOBAL_DEFAULT), curl_multi_init())) {
    if (!epoll || !wake || multi == nullptr) fault("prepare the delivery of drains");
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most_idle_connections);
    watch(EPOLL_CTL_ADD, wake.get(), EPOLLIN);
    thread = std::thread([this] { work(); });
  }

  ~State() {
    inbox.lock()->stop = true;
    ring();
    thread.join();
    flows.clear();
    curl_multi_cleanup(multi);
  }

  void ring() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake.get(), &one, sizeof one);
  }

  bool watch(int operation, int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    return ::epoll_ctl(epoll.get(), operation, fd, &event) == 0;
  }

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    auto& state = *static_cast<State*>(self);
    if (what == CURL_POLL_REMOVE) {
      state.watch(EPOLL_CTL_DEL, socket, 0);
      return 0;
    }
    const std::uint32_t events =
        ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
    if (!state.watch(EPOLL_CTL_MOD, socket, events)) state.watch(EPOLL_CTL_ADD, socket, events);
    return 0;
  }

  static int on_timer(CURLM*, long milliseconds, void* self) {
    auto& state = *static_cast<State*>(self);
    state.curl_due.reset();
    if (milliseconds >= 0)
      state.curl_due = state.clock.steady() + std::chrono::milliseconds(milliseconds);
    return 0;
  }

  void work() {
    while (!inbox.lock()->stop) {
      try {
        turn();
      } catch (const std::exception& trouble) {
        report("drains", trouble.what());
        std::this_thread::sleep_for(after_trouble);
      }
    }
  }

  void turn() {
    auto until = curl_due;
    if (!due.empty() && (!until || due.begin()->first < *until)) until = due.begin()->first;
    std::array<epoll_event, 128> events;
    const int count = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()),
                                   wait_of(until, clock.steady()));
    int running = 0;
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == wake.get()) {
        read_inbox();
      } else if (const auto full = writers.find(event.data.fd); full != writers.end()) {
        with(*full->second, [&](DrainFlow& flow) { flow.writable(clock.steady()); });
      } else {
        const int what =
            ((event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 ? CURL_CSELECT_IN : 0) |
            ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0);
        curl_multi_socket_action(multi, event.data.fd, what, &running);
      }
    }
    if (curl_due && *curl_due <= clock.steady()) {
      curl_due.reset();
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    hear_of_ends();
    const auto now = clock.steady();
    while (!due.empty() && due.begin()->first <= now) {
      auto& kept = *due.begin()->second;
      kept.queued.reset();
      due.erase(due.begin());
      with(kept, [&](DrainFlow& flow) { flow.due(now); });
    }
    publish();
  }

  void hear_of_ends() {
    int left = 0;
    std::vector<std::pair<DrainFlow*, CURLcode>> ended;
    while (const auto* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      DrainFlow* flow = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &flow);
      ended.emplace_back(flow, message->data.result);
    }
    for (const auto& [flow, code] : ended)
      with(*owners.at(flow), [&](DrainFlow& its) { its.finished(code, clock.steady()); });
  }

  // Lets a flow act, and sees to what it waits for then.
  template <class Act>
  void with(Kept& kept, Act act) {
    try {
      act(*kept.flow);
    } catch (const std::exception& trouble) {  // the log's disk, or no memory
      report("drains", fmt::format("drain {}: {}", *kept.id, trouble.what()));
      kept.flow->stumbled(clock.steady());
    }
    if (const auto deadline = kept.flow->deadline(); deadline != kept.queued) {
      if (kept.queued) due.erase({*kept.queued, &kept});
      if (deadline) due.emplace(*deadline, &kept);
      kept.queued = deadline;
    }
    if (const int writing = kept.flow->writing(); writing != kept.watched) {
      if (kept.watched >= 0) {
        writers.erase(kept.watched);
        watch(EPOLL_CTL_DEL, kept.watched, 0);
      }
      if (writing >= 0) {
        writers[writing] = &kept;
        if (!watch(EPOLL_CTL_ADD, writing, EPOLLOUT)) watch(EPOLL_CTL_MOD, writing, EPOLLOUT);
      }
      kept.watched = writing;
    }
    if (kept.flow->busy() != kept.busy) count_busy(kept, !kept.busy);
    if (kept.flow->place() != kept.published) changed.insert(&kept);
  }

  void count_busy(Kept& kept, bool now) {
    kept.busy = now;
    pace.busy(now ? ++busy : --busy);
  }

  void read_inbox() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake.get(), &count, sizeof count);
    Inbox news;
    {
      auto guard = inbox.lock();
      news.changes.swap(guard->changes);
      news.arrived.swap(guard->arrived);
      guard->rung = false;
    }
    for (auto& change : news.changes) {
      if (change.added)
        begin(*std::move(change.added));
      else
        end(change.id);
    }
    for (const auto& id : news.arrived)
      if (const auto found = flows.find(id); found != flows.end())
        with(found->second, [&](DrainFlow& flow) { flow.arrived(clock.steady()); });
  }

  void begin(DrainTarget target) {
    const auto id = target.id;
    if (flows.contains(id)) return;
    auto flow = std::make_unique<DrainFlow>(store, clock, options, pace, multi, std::move(target),
                                            [this, id] { lines_arrived(id); });
    const auto placed = flows.try_emplace(id).first;
    auto& kept = placed->second;
    kept.id = &placed->first;
    kept.published = flow->place();
    owners[flow.get()] = &kept;
    kept.flow = std::move(flow);
    (*places.lock())[id] = kept.published;
    with(kept, [&](DrainFlow& its) { its.arrived(clock.steady()); });  // what the log has already
  }

  void end(const std::string& id) {
    const auto found = flows.find(id);
    if (found == flows.end()) return;
    auto& kept = found->second;
    if (kept.queued) due.erase({*kept.queued, &kept});
    if (kept.watched >= 0) {
      writers.erase(kept.watched);
      watch(EPOLL_CTL_DEL, kept.watched, 0);
    }
    if (kept.busy) count_busy(kept, false);
    owners.erase(kept.flow.get());
    changed.erase(&kept);
    flows.erase(found);
    places.lock()->erase(id);
  }

  void lines_arrived(const std::string& id) {
    bool ringing = false;
    {
      auto guard = inbox.lock();
      guard->arrived.insert(id);
      ringing = !std::exchange(guard->rung, true);
    }
    if (ringing) ring();
  }

  void publish() {
    if (changed.empty()) return;
    auto board = places.lock();
    for (auto* kept : changed) (*board)[*kept->id] = kept->published = kept->flow->place();
    changed.clear();
  }

  LogStore& store;
  Clock& clock;
  const DrainCourierOptions options;
  DrainPace pace;
  os::Fd epoll, wake;
  CURLM* multi;
  Locked<Inbox> inbox;
  Locked<std::map<std::string, std::uint64_t>> places;
  // The thread's own.
  std::map<std::string, Kept> flows;
  std::unordered_map<DrainFlow*, Kept*> owners;
  std::set<std::pair<SteadyTime, Kept*>> due;
  std::unordered_map<int, Kept*> writers;
  std::unordered_set<Kept*> changed;
  std::size_t busy = 0;
  std::optional<SteadyTime> curl_due;
  std::thread thread;  // last
};

DrainCourier::DrainCourier(LogStore& store, Clock& clock, DrainCourierOptions options)
    : state_(std::make_unique<State>(store, clock, std::move(options))) {}
DrainCourier::~DrainCourier() = default;

void DrainCourier::add(DrainTarget target) {
  auto id = target.id;
  state_->inbox.lock()->changes.push_back({std::move(id), std::move(target)});
  state_->ring();
}

void DrainCourier::remove(const std::string& id) {
  state_->inbox.lock()->changes.push_back({id, std::nullopt});
  state_->ring();
}

std::map<std::string, std::uint64_t> DrainCourier::places() { return *state_->places.lock(); }

}  // namespace renga::logs
