#include "init/log_pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

namespace renga::init {
namespace {

constexpr int longest_retry_ms = 1000;

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

// The length of the frame that begins here: its head's line and as many bytes as that says.
std::size_t frame_length(const char* frame, std::size_t at_most) {
  const auto* end = static_cast<const char*>(memchr(frame, '\n', at_most));
  const auto* space =
      static_cast<const char*>(memrchr(frame, ' ', static_cast<std::size_t>(end - frame)));
  return static_cast<std::size_t>(end - frame) + 1 + strtoul(space + 1, nullptr, 10);
}

}  // namespace

std::int64_t monotonic_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

LogPump::LogPump(int out, int err, int directory, const char* name, std::string_view greeting)
    : directory_(directory), name_(name), greeting_(greeting) {
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
  // Without anything to send, only the loss of the connection is of interest.
  const bool writing = greeted_ < greeting_.size() || pending();
  waits[2] = {socket_, static_cast<short>(writing ? POLLOUT : 0), 0};
}

int LogPump::patience() const {
  if (socket_ != -1) return -1;
  const auto left = retry_at_ - monotonic_ms();
  return left > 0 ? static_cast<int>(left) : 0;
}

void LogPump::happened(const pollfd* waits) {
  for (int i = 0; i < 2; ++i)
    if (waits[i].fd >= 0 && waits[i].revents != 0) read_from(sources_[i]);
  if (waits[2].fd >= 0 && (waits[2].revents & (POLLHUP | POLLERR)) != 0) disconnect();
  connect_if_due();
  send();
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
}

void LogPump::read_from(Source& source) {
  // At most 1 MiB at a time: an app that floods its output must not keep PID 1 from reaping.
  char buffer[16384];
  for (int turn = 0; turn < 64; ++turn) {
    const auto count = read(source.fd, buffer, sizeof buffer);
    if (count > 0) {
      take(source, buffer, static_cast<std::size_t>(count));
      // Whoever floods would fill the buffer before the next turn, with control ready to take it.
      if (filled_ - sent_ > capacity / 16) send();
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (source.length > 0) end_line(source);
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
  if (!make_room(count + 2 * longest_head + longest_number)) return false;
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
  char* at = put_number(frames_ + filled_, static_cast<std::uint64_t>(now_));
  *at++ = ' ';
  *at++ = letter;
  *at++ = ' ';
  at = put_number(at, count);
  *at++ = '\n';
  filled_ = static_cast<std::size_t>(at - frames_);
  memcpy(frames_ + filled_, bytes, count);
  filled_ += count;
}

bool LogPump::make_room(std::size_t needed) {
  if (capacity - filled_ >= needed) return true;
  // Rare: an emptied buffer starts at its beginning again, and moving it for each line that control
  // took would cost more than the lines.
  if (frame_start_ < capacity / 4) return false;
  memmove(frames_, frames_ + frame_start_, filled_ - frame_start_);
  sent_ -= frame_start_;
  filled_ -= frame_start_;
  frame_start_ = 0;
  return true;
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
  sent_ = frame_start_;
}

void LogPump::disconnect() {
  close(socket_);
  socket_ = -1;
  sent_ = frame_start_;
}

void LogPump::send() {
  while (socket_ >= 0) {
    if (dropped_ > 0 && sent_ == filled_) {
      frame_start_ = sent_ = filled_ = 0;
      tell_dropped();
    }
    const bool greeting = greeted_ < greeting_.size();
    const char* bytes = greeting ? greeting_.data() + greeted_ : frames_ + sent_;
    const auto count = greeting ? greeting_.size() - greeted_ : filled_ - sent_;
    if (count == 0) {
      frame_start_ = sent_ = filled_ = 0;
      return;
    }
    const auto done = ::send(socket_, bytes, count, MSG_NOSIGNAL);
    if (done < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) disconnect();
      return;
    }
    retry_after_ = 50;
    if (greeting) {
      greeted_ += static_cast<std::size_t>(done);
      continue;
    }
    sent_ += static_cast<std::size_t>(done);
    while (frame_start_ < sent_) {
      const auto length = frame_length(frames_ + frame_start_, filled_ - frame_start_);
      if (frame_start_ + length > sent_) break;
      frame_start_ += length;
    }
  }
}

}  // namespace renga::init
