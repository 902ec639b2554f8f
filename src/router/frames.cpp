#include "router/frames.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "net/socket.h"

namespace renga::router {

namespace {

constexpr std::size_t header = sizeof(std::uint32_t) + 1;
constexpr std::uint32_t longest = 256U << 20;  // a table of more apps than one machine runs
// Most frames are small; what is being gathered for one that is not comes in large pieces.
constexpr std::size_t read_at_once = 4 * 1024;
constexpr std::size_t read_for_large = 64 * 1024;

std::string header_of(Frame type, std::string_view payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::string bytes(reinterpret_cast<const char*>(&size), sizeof size);
  bytes.push_back(static_cast<char>(type));
  return bytes;
}

}  // namespace

FrameSocket::FrameSocket(net::EventLoop& loop, os::Fd socket, FrameEvents events)
    : loop_(loop), socket_(std::move(socket)), events_(std::move(events)) {
  net::set_blocking(socket_.get(), false);
  loop_.add(socket_.get(), *this);
}

FrameSocket::~FrameSocket() {
  if (!closed_) loop_.remove(socket_.get(), *this);
}

void FrameSocket::send(Frame type, std::string_view payload) {
  if (closed_) return;
  out_.append(header_of(type, payload));
  out_.append(payload);
  flush();
}

void FrameSocket::send_first(Frame type, std::string_view payload,
                             const std::vector<int>& descriptors) {
  // It is small, and a fresh socket's buffer is not: it never comes out in parts.
  if (!net::send_with_fds(socket_.get(), header_of(type, payload) + std::string(payload),
                          descriptors)) {
    close("it was closed at once");
  }
}

void FrameSocket::on_events(std::uint32_t events) {
  if (closed_) return;
  if ((events & EPOLLOUT) != 0) flush();
  if (!closed_ && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) read();
}

void FrameSocket::flush() {
  while (!closed_ && !out_.empty()) {
    const auto left = out_.left();
    const auto sent = ::send(socket_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      out_.take(static_cast<std::size_t>(sent));
    } else if (errno != EINTR) {
      // A broken connection is found by reading, behind whatever it still has to say.
      return;
    }
  }
}

void FrameSocket::read() {
  while (!closed_) {
    auto received = net::receive_with_fds(
        socket_.get(), in_.size() < read_at_once ? read_at_once : read_for_large);
    if (received.would_block) return;
    if (received.bytes.empty()) return close("it was closed");
    for (auto& fd : received.fds) descriptors_.push_back(std::move(fd));
    in_.append(received.bytes);

    std::size_t used = 0;
    while (!closed_ && in_.size() - used >= header) {
      std::uint32_t size = 0;
      std::memcpy(&size, in_.data() + used, sizeof size);
      if (size > longest) return close("a message is too long");
      if (in_.size() - used < header + size) break;
      const auto type = static_cast<Frame>(in_[used + sizeof size]);
      auto payload = in_.substr(used + header, size);
      used += header + size;
      events_.on_frame(type, std::move(payload), std::exchange(descriptors_, {}));
    }
    in_.erase(0, used);
  }
}

void FrameSocket::close(const std::string& why) {
  if (closed_) return;
  closed_ = true;
  loop_.remove(socket_.get(), *this);
  socket_.close();
  // Posted: whoever hears it may destroy this, which is at work.
  loop_.post([on_closed = events_.on_closed, why] { on_closed(why); });
}

}  // namespace renga::router
