// LogPump: takes the command's output from two pipes and puts it, line by line, as frames
// (sandbox/log_frames.h), into memory that control reads (sandbox/log_ring.h): over the log socket
// it hands that memory to each control that comes, and rings. It reads whatever comes at once, so
// that the app never waits: what control cannot take is kept up to 1 MiB and then dropped, line by
// line, and counted.
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sandbox/log_frames.h"
#include "sandbox/log_ring.h"

namespace renga::init {

std::int64_t monotonic_ms();

class LogPump {
 public:
  // `directory` and `name` say where the socket is; -1 when there is no log and lines only vanish.
  LogPump(int out, int err, int directory, const char* name, std::string_view greeting);

  // What to wait for; three entries, some of them -1.
  void wanted(pollfd* waits) const;
  // In milliseconds; -1 when only events matter.
  int patience() const;
  void happened(const pollfd* waits);

  bool reading() const { return sources_[0].fd >= 0 || sources_[1].fd >= 0; }
  // Lines are not on control's disk yet.
  bool pending() const { return socket_ != none && (!ring_.empty() || dropped_ > 0); }
  // The command is gone: takes what is in the pipes, lets go of them, and rings.
  void finish_reading();

 private:
  struct Source {
    int fd = -1;
    char letter = 'o';
    std::size_t length = 0;
    char line[sandbox::longest_log_line];
  };
  static constexpr int none = -2;  // instead of a descriptor: there is no log socket
  static constexpr std::size_t longest_head = 48;
  static constexpr std::size_t longest_number = 24;

  void read_from(Source& source);
  void take(Source& source, const char* bytes, std::size_t count);
  void end_line(Source& source);
  bool add_frame(char letter, const char* bytes, std::size_t count);
  void put_frame(char letter, const char* bytes, std::size_t count);  // there is room
  void tell_dropped();                                                // there is room
  void connect_if_due();
  void disconnect();
  void greet();
  void ring_if_due(bool in_any_case);

  Source sources_[2];
  int directory_;
  const char* name_;
  std::string_view greeting_;

  int memory_;  // the ring's, as a descriptor
  sandbox::LogRingWriter ring_;
  int socket_ = -1;
  std::int64_t retry_at_ = 0;
  int retry_after_ = 50;
  std::size_t greeted_ = 0;  // bytes of the greeting that are sent
  bool finished_ = false;
  std::uint64_t dropped_ = 0;
  std::int64_t now_ = 0;  // microseconds since 1970, of what is read
};

}  // namespace renga::init
