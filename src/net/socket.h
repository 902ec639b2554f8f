// Sockets: addresses, listening, connecting, and descriptors sent over unix sockets. Every
// descriptor made here is close-on-exec. Functions are safe from any thread; errors of the machine
// are std::system_error, what somebody else can cause is a value.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/fd.h"

namespace renga::net {

// An IPv4 or IPv6 address with its port, or a unix socket's.
class Address {
 public:
  Address() = default;
  Address(const sockaddr* address, socklen_t size);
  // "10.1.2.3:80" or "[fd00::1]:80": numbers only, so nothing is looked up.
  static std::optional<Address> parse(std::string_view host_port);

  std::string text() const;  // "127.0.0.1:51234", "[::1]:80"
  std::string host() const;  // "127.0.0.1", "::1"
  std::uint16_t port() const;
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  int family() const { return storage_.ss_family; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

// The addresses behind HOST:PORT, IPv4 first. May ask the resolver, which has its own time-outs
// (resolv.conf(5)): not for a loop's thread. Kind::invalid: not of the form HOST:PORT.
// Kind::unavailable: no such host.
Result<std::vector<Address>> resolve(const std::string& host_port);

enum class Port { exclusive, shared };  // shared: SO_REUSEPORT, one listener per loop

// A non-blocking listener on HOST:PORT, with SO_REUSEADDR; port 0 lets the kernel choose. A name
// such as localhost listens on the first of its addresses that can be had, IPv4 first; "[::]" takes
// IPv4 as well. Throws std::system_error or std::runtime_error that names what cannot be listened
// on.
os::Fd listen_tcp(const std::string& host_port, Port port = Port::exclusive, int backlog = 4096);

struct Accepted {
  os::Fd fd;  // non-blocking; none: see error
  Address peer;
  int error = 0;  // 0: nobody is waiting. EMFILE, ENFILE, ENOBUFS, ENOMEM: try again later
};
Accepted accept(int listener);

Address local_address(int fd);

// Connects within `limit` in all (looking up a name apart), trying each of its addresses. The
// socket is blocking, with TCP_NODELAY.
Result<os::Fd> connect_tcp(const std::string& host_port, std::chrono::milliseconds limit);

// Begins to connect; the socket is non-blocking, with TCP_NODELAY. When it becomes writable,
// connect_error() tells how it went. An error at once is in `error`, and fd is none.
struct Connecting {
  os::Fd fd;
  int error = 0;
};
Connecting start_connect(const Address& address);
int connect_error(int fd);  // 0: connected

void set_no_delay(int fd);
// Lets the kernel find out within two minutes that a silent peer has vanished.
void set_keep_alive(int fd);
void set_blocking(int fd, bool blocking);

enum class UnixType { stream, packets };  // packets: SOCK_SEQPACKET, which keeps messages apart

// A non-blocking listener on this path, which only `mode` may connect to. A socket that a dead
// process left there is replaced; a living one's is refused with an exception, and so is a path of
// more than 107 bytes, which the kernel cannot name.
os::Fd listen_unix(const std::string& path, unsigned mode, UnixType type = UnixType::stream);
// Blocking. Kind::unavailable: nobody listens there.
Result<os::Fd> connect_unix(const std::string& path, UnixType type = UnixType::stream);
std::pair<os::Fd, os::Fd> unix_pair(UnixType type = UnixType::stream);  // blocking

// Sends `bytes` (at least one) and these descriptors with them; the caller keeps its own. False
// when the other end is gone or a non-blocking socket is full. On a stream socket it sends all of
// `bytes`, or throws.
bool send_with_fds(int socket, std::string_view bytes, std::span<const int> fds);

struct Received {
  std::string
      bytes;  // empty: the other end is gone, or a non-blocking socket has nothing (would_block)
  std::vector<os::Fd> fds;
  bool would_block = false;
};
// One message, or what a stream has, of at most `most_bytes` and 64 descriptors. Throws when the
// message was longer or its descriptors did not fit.
Received receive_with_fds(int socket, std::size_t most_bytes);

}  // namespace renga::net
