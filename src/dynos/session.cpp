#include "dynos/session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fault.h"
#include "base/report.h"
#include "os/pty.h"

namespace renga::dynos {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr char end_of_text = '\x04';
constexpr std::size_t one_record = 16 * 1024;  // what TLS sends in one piece
// Heroku's CLI passes on the end of its input once it is connected, and crashes when the connection
// has ended by then, which a quick command's has: so without frames it stays for so long, unless
// the client leaves.
constexpr milliseconds shortest_bare{500};

void ring(const os::Fd& bell) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(bell.get(), &one, sizeof one);
}

milliseconds since(SteadyClock::time_point then) {
  return std::chrono::duration_cast<milliseconds>(SteadyClock::now() - then);
}

}  // namespace

Session::Session(Engine& engine, Id<Dyno> dyno, std::shared_ptr<http::RawConnection> connection,
                 SessionOptions options)
    : engine_(engine),
      dyno_(std::move(dyno)),
      connection_(std::move(connection)),
      options_(options),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stopped_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      active_(SteadyClock::now()) {
  if (!wake_ || !stopped_) fault("eventfd");
}

Session::~Session() {
  shared_.lock()->closing = true;
  wake();
  if (output_thread_.joinable()) output_thread_.join();
  connection_->finish();
  if (input_thread_.joinable()) input_thread_.join();
}

void Session::start(Attachment attachment) {
  attachment_ = std::move(attachment);
  exec_ = static_cast<bool>(attachment_.leash);
  output_thread_ = std::thread([this] { pump_output(); });
  input_thread_ = std::thread([this] { pump_input(); });
}

void Session::refuse(const std::string& why) {
  send(why + "\r\n");
  if (options_.framed) connection_->write(net::frame('X', std::string(1, '\x7e')));
  connection_->finish();
  at_work_ = 0;
}

void Session::ended(int status) {
  shared_.lock()->status = status;
  wake();
}

void Session::wake() { ring(wake_); }

bool Session::send(std::string_view bytes) {
  return connection_->write(options_.framed ? net::frame('O', bytes) : std::string(bytes));
}

// Until something has to be looked at without being told.
int Session::wait_limit(bool held_marker) {
  auto shared = shared_.lock();
  auto limit = options_.idle - std::min(since(active_), options_.idle);
  if (shared->held_end)
    limit = std::min(
        limit, options_.end_of_input - std::min(since(*shared->held_end), options_.end_of_input));
  if (held_marker) limit = std::min(limit, options_.marker);
  if (shared->status) limit = std::min(limit, options_.settle);
  return static_cast<int>(std::min<milliseconds::rep>(limit.count() + 1, 60'000));
}

// The session's life: ends when the dyno has ended and all it wrote is sent, or the client left.
void Session::pump_output() {
  const auto began = SteadyClock::now();
  ExitMarker marker;
  bool more = true;  // output may come
  std::optional<SteadyClock::time_point> ended_at;
  bool client = true;
  while (client) {
    pollfd fds[] = {{more ? attachment_.output.get() : -1, POLLIN, 0},
                    {wake_.get(), POLLIN, 0},
                    {attachment_.leash.get(), POLLIN, 0}};
    const int ready = ::poll(fds, 3, wait_limit(marker.holds()));
    if (fds[2].revents != 0) read_leash();
    if (fds[1].revents != 0) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
    }
    if (ready == 0 && marker.holds()) client = send(marker.flush());
    if (more && ready > 0 && fds[0].revents != 0) {
      more = read_output(marker);
      if (!more && marker.holds()) client = send(marker.flush());
    }
    end_held_input();

    auto shared = shared_.lock();
    if (shared->status && !ended_at) ended_at = SteadyClock::now();
    if (ended_at && (!more || since(*ended_at) >= options_.settle)) break;
    if (shared->client_left || shared->closing || !connection_->open() ||
        since(active_) >= options_.idle)
      client = false;
  }

  while (client && !options_.framed && since(began) < shortest_bare) {
    pollfd woken{wake_.get(), POLLIN, 0};
    ::poll(&woken, 1, static_cast<int>((shortest_bare - since(began)).count()) + 1);
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
    auto shared = shared_.lock();
    client = !shared->client_left && !shared->closing && connection_->open();
  }

  const auto status = shared_.lock()->status;
  if (!status && exec_)
    attachment_.leash.close();
  else if (!status)
    engine_.client_left(dyno_);
  else if (options_.framed)
    connection_->write(net::frame('X', std::string(1, static_cast<char>(*status & 0xff))));
  ring(stopped_);
  connection_->finish();
  attachment_.output.close();
  --at_work_;
}

// The command of an exec has ended.
void Session::read_leash() {
  int status = 128 + 9;  // without a word: whoever watched over it was killed, and it, too
  if (::recv(attachment_.leash.get(), &status, sizeof status, 0) != sizeof status) status = 128 + 9;
  attachment_.leash.close();
  auto shared = shared_.lock();
  if (!shared->status) shared->status = status;
}

// False at the end of the output, or when nobody takes it any more.
bool Session::read_output(ExitMarker& marker) {
  char bytes[one_record];
  const auto got = ::read(attachment_.output.get(), bytes, sizeof bytes);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  active_ = SteadyClock::now();
  const std::string_view text(bytes, static_cast<std::size_t>(got));
  if (options_.framed) return send(text);
  for (const auto& piece : marker.feed(text))
    if (!send(piece)) return false;
  return true;
}

void Session::pump_input() {
  try {
    for (;;) {
      const auto bytes = connection_->read();
      if (bytes.empty()) break;
      active_ = SteadyClock::now();
      if (!options_.framed) {
        take(bytes);
      } else if (!frames_.feed(bytes, [this](char type, std::string_view content) {
                   take_frame(type, content);
                 })) {
        report("dynos", fmt::format("dyno {}: its client does not send frames", dyno_.value));
        break;
      }
    }
  } catch (const std::exception&) {
    // The client is gone, which is said below.
  }
  {
    auto shared = shared_.lock();
    shared->client_left = true;
    shared->held_end.reset();
    shared->input_open = false;
    attachment_.input.close();  // the last of a terminal: it hangs up
  }
  wake();
  --at_work_;
}

void Session::take(std::string_view bytes) {
  if (options_.terminal) return write_input(bytes);  // the terminal knows what 0x04 means
  bool held = false;
  {
    auto shared = shared_.lock();
    held = std::exchange(shared->held_end, std::nullopt).has_value();
  }
  if (held) write_input({&end_of_text, 1});
  const bool holds = bytes.back() == end_of_text;
  write_input(bytes.substr(0, bytes.size() - (holds ? 1 : 0)));
  if (!holds) return;
  shared_.lock()->held_end = SteadyClock::now();
  wake();
}

void Session::take_frame(char type, std::string_view content) {
  const auto number = [&](std::size_t at) {
    return static_cast<unsigned char>(content[at]) << 8 |
           static_cast<unsigned char>(content[at + 1]);
  };
  if (type == 'I') write_input(content);
  if (type == 'E') end_input();
  if (type == 'W' && content.size() == 4 && options_.terminal)
    os::set_window_size(attachment_.input.get(), number(0), number(2));
}

// Only the input's thread writes; the end that is held back leaves it nothing to write.
void Session::write_input(std::string_view bytes) {
  if (!shared_.lock()->input_open) return;
  while (!bytes.empty()) {
    const auto written = ::write(attachment_.input.get(), bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      active_ = SteadyClock::now();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) {
      shared_.lock()->input_open = false;  // nobody reads it: what else comes is dropped
      return;
    }
    pollfd fds[] = {{attachment_.input.get(), POLLOUT, 0}, {stopped_.get(), POLLIN, 0}};
    ::poll(fds, 2, 60'000);
    if (fds[1].revents != 0) return;
  }
}

void Session::end_input() {
  if (options_.terminal) return write_input({&end_of_text, 1});
  auto shared = shared_.lock();
  shared->input_open = false;
  attachment_.input.close();
}

void Session::end_held_input() {
  auto shared = shared_.lock();
  if (!shared->held_end || since(*shared->held_end) < options_.end_of_input) return;
  shared->held_end.reset();
  shared->input_open = false;
  attachment_.input.close();
}

}  // namespace renga::dynos
