#include "client/attach.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "net/frames.h"
#include "os/fd.h"
#include "os/raw_mode.h"

namespace renga::client {
namespace {

constexpr int connect_limit = 10'000;  // milliseconds, for each address and for the handshake
constexpr std::size_t most_unsent = 256 * 1024;

struct Free {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

struct Address {
  std::string host, port, secret;
};

std::optional<Address> parse(std::string_view url) {
  constexpr std::string_view scheme = "rendezvous://";
  if (!url.starts_with(scheme)) return std::nullopt;
  url.remove_prefix(scheme.size());
  const auto slash = url.find('/');
  const auto colon = url.substr(0, slash).rfind(':');
  if (slash == std::string_view::npos || colon == std::string_view::npos) return std::nullopt;
  auto host = url.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return Address{std::string(host), std::string(url.substr(colon + 1, slash - colon - 1)),
                 std::string(url.substr(slash + 1))};
}

bool wait_for(int fd, short events) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, connect_limit) > 0;
}

Result<os::Fd> reach(const Address& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found))
    return fail(Kind::unavailable,
                fmt::format("{} was not found: {}.", address.host, ::gai_strerror(error)));
  const std::unique_ptr<addrinfo, Free> all(found);
  std::string why = "no address";
  for (const auto* one = all.get(); one != nullptr; one = one->ai_next) {
    os::Fd fd(::socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    int error = 0;
    if (::connect(fd.get(), one->ai_addr, one->ai_addrlen) != 0) {
      error = errno;
      if (error == EINPROGRESS) {
        socklen_t size = sizeof error;
        error = ETIMEDOUT;
        if (wait_for(fd.get(), POLLOUT))
          ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      }
    }
    if (error == 0) {
      const int on = 1;  // keystrokes do not wait for others
      ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return fd;
    }
    why = std::strerror(error);
  }
  return fail(Kind::unavailable,
              fmt::format("{}:{} could not be reached: {}.", address.host, address.port, why));
}

// A TLS connection on a socket that does not block.
class Tls {
 public:
  static Result<std::unique_ptr<Tls>> connect(const Address& address,
                                              const AttachOptions& options) {
    auto made = std::make_unique<Tls>();
    made->fd_ = TRY(reach(address));
    made->context_.reset(SSL_CTX_new(TLS_client_method()));
    auto* context = made->context_.get();
    const bool trusts = options.ca.empty()
                            ? SSL_CTX_set_default_verify_paths(context) == 1
                            : SSL_CTX_load_verify_locations(context, options.ca.c_str(), nullptr);
    if (!trusts)
      return fail(Kind::unavailable,
                  fmt::format("The certificates in {} could not be read.", options.ca.string()));
    SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    made->ssl_.reset(SSL_new(context));
    auto* ssl = made->ssl_.get();
    SSL_set_fd(ssl, made->fd_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), address.host.c_str()) != 1) {
      SSL_set1_host(ssl, address.host.c_str());
      SSL_set_tlsext_host_name(ssl, address.host.c_str());
    }
    for (;;) {
      const int done = SSL_connect(ssl);
      if (done == 1) return made;
      const int error = SSL_get_error(ssl, done);
      if (error == SSL_ERROR_WANT_READ && wait_for(made->fd_.get(), POLLIN)) continue;
      if (error == SSL_ERROR_WANT_WRITE && wait_for(made->fd_.get(), POLLOUT)) continue;
      const auto verified = SSL_get_verify_result(ssl);
      return fail(Kind::unavailable,
                  verified != X509_V_OK
                      ? fmt::format("The certificate of {} is not trusted: {}. RENGA_CA names the "
                                    "file that vouches for it.",
                                    address.host, X509_verify_cert_error_string(verified))
                      : fmt::format("{}:{} did not answer over TLS.", address.host, address.port));
    }
  }

  enum class Io { done, blocked, over };
  Io read(std::string& into) {
    char bytes[16 * 1024];
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), bytes, sizeof bytes);
    if (got <= 0) return io(got);
    into.assign(bytes, static_cast<std::size_t>(got));
    return Io::done;
  }
  Io write(std::string& from) {
    ERR_clear_error();
    const int sent = SSL_write(ssl_.get(), from.data(), static_cast<int>(from.size()));
    if (sent <= 0) return io(sent);
    from.erase(0, static_cast<std::size_t>(sent));
    return Io::done;
  }
  int fd() const { return fd_.get(); }

 private:
  Io io(int result) const {
    const int error = SSL_get_error(ssl_.get(), result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? Io::blocked : Io::over;
  }
  os::Fd fd_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
};

std::string window_frame(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  const char bytes[] = {static_cast<char>(size.ws_col >> 8), static_cast<char>(size.ws_col & 0xff),
                        static_cast<char>(size.ws_row >> 8), static_cast<char>(size.ws_row & 0xff)};
  return net::frame('W', {bytes, sizeof bytes});
}

// False when nobody takes it. The descriptor may be one that does not block.
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd one{fd, POLLOUT, 0};
      ::poll(&one, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

class Joined {
 public:
  Joined(Tls& tls, const AttachOptions& options, std::string secret)
      : tls_(tls), options_(options), unsent_(std::move(secret) + "?frames\r\n") {}

  Result<int> run() {
    const os::RawMode raw(options_.input, options_.terminal);
    os::SizeChanges sizes(options_.terminal);
    while (!status_) {
      if (!unsent_.empty() && tls_.write(unsent_) == Tls::Io::over) return lost();
      const bool reads_input = greeted_ && input_open_ && unsent_.size() < most_unsent;
      const short outward = unsent_.empty() ? POLLIN : POLLIN | POLLOUT;
      pollfd fds[] = {{tls_.fd(), outward, 0},
                      {reads_input ? options_.input : -1, POLLIN, 0},
                      {sizes.fd(), POLLIN, 0}};
      if (::poll(fds, 3, -1) < 0 && errno != EINTR)
        return fail(Kind::unavailable, "The terminal cannot be waited for.");
      if (fds[2].revents != 0) {
        sizes.take();
        unsent_ += window_frame(options_.input);
      }
      if (fds[1].revents != 0) take_input();
      if (fds[0].revents != 0 && !take_answer()) return status_ ? Result<int>(*status_) : lost();
    }
    return *status_;
  }

 private:
  static std::unexpected<Error> lost() {
    return fail(Kind::unavailable,
                "The connection to the dyno broke before its command had ended. `renga logs` may "
                "say why.");
  }

  void take_input() {
    char bytes[16 * 1024];
    const auto got = ::read(options_.input, bytes, sizeof bytes);
    if (got > 0) {
      unsent_ += net::frame('I', {bytes, static_cast<std::size_t>(got)});
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      input_open_ = false;
      unsent_ += net::frame('E', {});
    }
  }

  // False when the connection is over.
  bool take_answer() {
    for (;;) {
      std::string bytes;
      const auto io = tls_.read(bytes);
      if (io == Tls::Io::blocked) return true;
      if (io == Tls::Io::over) return false;
      if (!greeted_ && !take_greeting(bytes)) continue;
      if (!frames_.feed(bytes, [this](char type, std::string_view content) {
            if (type == 'O') output_open_ = output_open_ && write_all(options_.output, content);
            if (type == 'X' && !content.empty())
              status_ = static_cast<unsigned char>(content.front());
          }))
        return false;
      if (status_) return true;
      if (!output_open_) {  // as a program that SIGPIPE ended
        status_ = 128 + SIGPIPE;
        return true;
      }
    }
  }

  // What is behind the first line stays in `bytes`.
  bool take_greeting(std::string& bytes) {
    greeting_ += bytes;
    const auto end = greeting_.find('\n');
    if (end == std::string::npos) return false;
    bytes = greeting_.substr(end + 1);
    greeted_ = true;
    return true;
  }

  Tls& tls_;
  const AttachOptions& options_;
  std::string unsent_;
  std::string greeting_;
  net::FrameReader frames_;
  bool greeted_ = false;
  bool input_open_ = true;
  bool output_open_ = true;
  std::optional<int> status_;
};

}  // namespace

Result<int> attach(const std::string& rendezvous_url, const AttachOptions& options) {
  const auto address = parse(rendezvous_url);
  if (!address)
    return fail(Kind::unavailable, "The server gave no address to attach to: is it renga?");
  const auto tls = TRY(Tls::connect(*address, options));
  return Joined(*tls, options, address->secret).run();
}

}  // namespace renga::client
