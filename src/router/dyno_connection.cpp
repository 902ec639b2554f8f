#include "router/dyno_connection.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "base/fault.h"
#include "router/client_connection.h"

namespace renga::router {

namespace {

os::Fd new_socket() {
  os::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) fault("a socket for a connection to a dyno");
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Between a router and dynos of one machine nothing is lost: what the system chose for the
  // internet (BBR, which paces every packet by a timer) only costs. Where this is not to be had the
  // system's choice serves as well.
  constexpr std::string_view simple = "reno";
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_CONGESTION, simple.data(), simple.size());
  return socket;
}

}  // namespace

DynoConnection::DynoConnection(net::EventLoop& loop, DynoPools& pools, const Dyno& dyno)
    : loop_(loop), pools_(pools), state_(dyno.state), transport_(new_socket()), idle_([this] {
        pools_.close(*this);
      }) {
  const int connected = ::connect(transport_.fd(), reinterpret_cast<const sockaddr*>(&dyno.address),
                                  sizeof dyno.address);
  failed_ = connected != 0 && errno != EINPROGRESS;
  // Answers before new requests: the sooner one is done, the fewer are under way.
  loop_.add(transport_.fd(), *this, net::Priority::first);
}

DynoConnection::~DynoConnection() { loop_.remove(transport_.fd(), *this); }

void DynoConnection::on_events(std::uint32_t events) {
  if (user != nullptr) {
    user->on_dyno_events(events);
  } else if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    // The dyno has closed it, or speaks without being asked: what it says could be taken for the
    // answer to the next request.
    pools_.close(*this);
  }
}

int DynoConnection::socket_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(transport_.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

bool DynoConnection::unacknowledged() const {
  int bytes = 0;
  return ::ioctl(transport_.fd(), SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

std::unique_ptr<DynoConnection> DynoPools::take(const DynoState& dyno) {
  const auto found = pools_.find(&dyno);
  if (found == pools_.end() || found->second.idle.empty()) return nullptr;
  auto connection = std::move(found->second.idle.back());
  found->second.idle.pop_back();
  connection->idle_.cancel();
  return connection;
}

void DynoPools::put(std::unique_ptr<DynoConnection> connection) {
  auto& pool = pools_[connection->state_.get()];
  if (!pool.dyno) pool.dyno = connection->state_;
  connection->user = nullptr;
  if (pool.idle.size() >= most_) {
    bury_(std::move(connection));
    return;
  }
  connection->reused = true;
  idle_.start(connection->idle_);
  pool.idle.push_back(std::move(connection));
}

void DynoPools::close(const DynoConnection& idle) {
  const auto found = pools_.find(idle.state_.get());
  if (found == pools_.end()) return;
  auto& pool = found->second.idle;
  const auto place = std::find_if(
      pool.begin(), pool.end(), [&](const auto& connection) { return connection.get() == &idle; });
  if (place == pool.end()) return;
  (*place)->idle_.cancel();
  bury_(std::move(*place));
  pool.erase(place);
}

void DynoPools::close_all(const DynoState& dyno) {
  const auto pool = pools_.find(&dyno);
  if (pool == pools_.end()) return;
  for (auto& connection : pool->second.idle) {
    connection->idle_.cancel();
    bury_(std::move(connection));
  }
  pools_.erase(pool);
}

std::size_t DynoPools::size() const {
  std::size_t count = 0;
  for (const auto& [dyno, pool] : pools_) count += pool.idle.size();
  return count;
}

}  // namespace renga::router
