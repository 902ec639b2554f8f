#include "client/attach.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>

#include "client/tls.h"
#include "net/frames.h"
#include "os/fd.h"
#include "os/raw_mode.h"

namespace renga::client {
namespace {

constexpr std::size_t most_unsent = 256 * 1024;

struct Address {
  Endpoint endpoint;
  std::string secret;
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
  return Address{{std::string(host), std::string(url.substr(colon + 1, slash - colon - 1))},
                 std::string(url.substr(slash + 1))};
}

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
  const auto tls =
      TRY(Tls::connect(address->endpoint, {.ca = options.ca, .verify = options.verify}));
  return Joined(*tls, options, address->secret).run();
}

}  // namespace renga::client
