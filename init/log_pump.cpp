#include "init/log_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "sandbox/command.h"

namespace renga::init {
namespace {

using sandbox::die;

constexpr int longest_retry_ms = 1000;
// Control releases without a word, so whoever waits for that looks: to end, or to tell of drops.
constexpr int last_look_ms = 5;
constexpr int look_ms = 100;

std::int64_t wall_micros() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

// Writes it in decimal; returns where it ends. Lines come by the hundred thousand a second, which
// snprintf would be most of.
char* put_number(char* to, std::uint64_t number) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0) *to++ = digits[--count];
  return to;
}

int new_memory() {
  const int memory = memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0 || ftruncate(memory, sizeof(sandbox::LogRing)) != 0 ||
      fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    die("make the log's memory");
  return memory;
}

sandbox::LogRing& mapped(int memory) {
  void* at = mmap(nullptr, sizeof(sandbox::LogRing), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  if (at == MAP_FAILED) die("map the log's memory");
  return *static_cast<sandbox::LogRing*>(at);
}

}  // namespace

std::int64_t monotonic_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

LogPump::LogPump(int out, int err, int directory, const char* name, std::string_view greeting)
    : directory_(directory),
      name_(name),
      greeting_(greeting),
      memory_(new_memory()),
      ring_(mapped(memory_)) {
  sources_[0].fd = out;
  sources_[1].fd = err;
  sources_[1].letter = 'e';
  for (const auto& source : sources_)
    if (source.fd >= 0) fcntl(source.fd, F_SETFL, fcntl(source.fd, F_GETFL) | O_NONBLOCK);
  if (name_ == nullptr) socket_ = none;
  connect_if_due();
}

void LogPump::wanted(pollfd* waits) const {
  waits[0] = {sources_[0].fd, POLLIN, 0};
  waits[1] = {sources_[1].fd, POLLIN, 0};
  // Greeted, only the loss of the connection is of interest.
  waits[2] = {socket_, static_cast<short>(greeted_ < greeting_.size() ? POLLOUT : 0), 0};
}

int LogPump::patience() const {
  if (socket_ == none) return -1;
  const int until_look = finished_ ? last_look_ms : dropped_ > 0 ? look_ms : -1;
  if (socket_ >= 0) return until_look;
  const auto left = retry_at_ - monotonic_ms();
  return left > 0 ? static_cast<int>(left) : 0;
}

void LogPump::happened(const pollfd* waits) {
  for (int i = 0; i < 2; ++i)
    if (waits[i].fd >= 0 && waits[i].revents != 0) read_from(sources_[i]);
  if (waits[2].fd >= 0 && (waits[2].revents & (POLLHUP | POLLERR)) != 0) disconnect();
  connect_if_due();
  greet();
  // Told together with a line, or once there is nothing else.
  if (dropped_ > 0 && socket_ != none && ring_.empty()) {
    tell_dropped();
    ring_.publish();
  }
  ring_if_due(false);
}

void LogPump::finish_reading() {
  for (auto& source : sources_) {
    if (source.fd < 0) continue;
    read_from(source);
    if (source.fd < 0) continue;  // it came to its end
    end_line(source);
    close(source.fd);
    source.fd = -1;
  }
  ring_.publish();
  finished_ = true;
  ring_if_due(true);
}

void LogPump::read_from(Source& source) {
  // At most 1 MiB at a time: an app that floods its output must not keep PID 1 from reaping.
  char buffer[16384];
  for (int turn = 0; turn < 64; ++turn) {
    const auto count = read(source.fd, buffer, sizeof buffer);
    if (count > 0) {
      take(source, buffer, static_cast<std::size_t>(count));
      ring_.publish();
      // Whoever floods would fill the ring before the turn is over, with control ready to take it.
      ring_if_due(false);
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (source.length > 0) end_line(source);
    ring_.publish();
    close(source.fd);
    source.fd = -1;
    return;
  }
}

void LogPump::take(Source& source, const char* bytes, std::size_t count) {
  now_ = wall_micros();
  while (count > 0) {
    const auto* newline = static_cast<const char*>(memchr(bytes, '\n', count));
    auto part = newline == nullptr ? count : static_cast<std::size_t>(newline - bytes);
    const auto room = sizeof source.line - source.length;
    if (part > room) {
      memcpy(source.line + source.length, bytes, room);
      source.length += room;
      end_line(source);
      bytes += room;
      count -= room;
      continue;
    }
    memcpy(source.line + source.length, bytes, part);
    source.length += part;
    if (newline != nullptr) {
      // An empty line is a line, too.
      if (!add_frame(source.letter, source.line, source.length)) ++dropped_;
      source.length = 0;
      ++part;
    }
    bytes += part;
    count -= part;
  }
}

void LogPump::end_line(Source& source) {
  if (source.length > 0 && !add_frame(source.letter, source.line, source.length)) ++dropped_;
  source.length = 0;
}

bool LogPump::add_frame(char letter, const char* bytes, std::size_t count) {
  if (socket_ == none) return true;
  // What was lost is told in its place, before the next line, and only together with it: or the
  // last free bytes would fill with such counts.
  if (ring_.room() < count + 2 * longest_head + longest_number) return false;
  if (dropped_ > 0) tell_dropped();
  put_frame(letter, bytes, count);
  return true;
}

void LogPump::tell_dropped() {
  char number[longest_number];
  put_frame('d', number, static_cast<std::size_t>(put_number(number, dropped_) - number));
  dropped_ = 0;
}

void LogPump::put_frame(char letter, const char* bytes, std::size_t count) {
  char head[longest_head];
  char* at = put_number(head, static_cast<std::uint64_t>(now_));
  *at++ = ' ';
  *at++ = letter;
  *at++ = ' ';
  at = put_number(at, count);
  *at++ = '\n';
  ring_.put(head, static_cast<std::size_t>(at - head));
  ring_.put(bytes, count);
}

void LogPump::connect_if_due() {
  if (socket_ != -1 || monotonic_ms() < retry_at_) return;
  retry_at_ = monotonic_ms() + retry_after_;
  retry_after_ = retry_after_ * 2 > longest_retry_ms ? longest_retry_ms : retry_after_ * 2;

  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // Through the descriptor, since the host's paths are not there in here.
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", directory_, name_);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return;
  }
  socket_ = fd;
  greeted_ = 0;
}

void LogPump::disconnect() {
  close(socket_);
  socket_ = -1;
}

// The memory goes with the first bytes.
void LogPump::greet() {
  while (socket_ >= 0 && greeted_ < greeting_.size()) {
    iovec bytes = {const_cast<char*>(greeting_.data()) + greeted_, greeting_.size() - greeted_};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof memory_)] = {};
    msghdr message = {};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (greeted_ == 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      auto* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof memory_);
      memcpy(CMSG_DATA(header), &memory_, sizeof memory_);
      ring_.forget_ringing();
    }
    const auto done = sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      if (errno != EAGAIN) disconnect();
      return;
    }
    retry_after_ = 50;
    greeted_ += static_cast<std::size_t>(done);
  }
}

// What a bell cannot say, since the socket is full or gone, the next look or greeting does.
void LogPump::ring_if_due(bool in_any_case) {
  if (socket_ < 0 || greeted_ < greeting_.size() || !(ring_.to_ring() || in_any_case)) return;
  [[maybe_unused]] const auto sent = ::send(socket_, "!", 1, MSG_NOSIGNAL);
}

}  // namespace renga::init
