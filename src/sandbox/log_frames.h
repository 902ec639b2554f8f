// Log frames: a dyno's output on its way from renga-init to control. Over the log socket goes the
// greeting, "<id> <secret>\n", and with it the memory (log_ring.h) in which are frames:
//
//   <microseconds since 1970> <o|e|d> <length>\n<length bytes>
//
// o and e are a line of the command's standard output or error, without its newline and of at most
// 10,000 bytes: longer ones come in pieces. d says that lines were dropped, its bytes their decimal
// number. An init of an older release has no such memory and sends its frames behind the greeting;
// of those, what was not read when control died is lost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace renga::sandbox {

inline constexpr std::size_t longest_log_line = 10'000;
inline constexpr std::size_t longest_log_greeting = 256;

enum class LogStream { output, error };

struct LogFrame {
  std::int64_t micros = 0;
  LogStream stream = LogStream::output;
  std::string_view line;      // empty for a frame that only counts
  std::uint64_t dropped = 0;  // lines lost before this point; then there is no line
  bool operator==(const LogFrame&) const = default;
};

// Reads one connection. Belongs to one thread. It holds at most one unfinished frame.
class LogDecoder {
 public:
  // Adds the frames that `bytes` complete to `frames`; their lines lie in `bytes` or in the
  // decoder, until it is fed again. Strangers reach the socket: after something that is no frame it
  // is broken() for good, says nothing more, and the connection should be closed.
  void feed(std::string_view bytes, std::vector<LogFrame>& frames);
  bool broken() const { return broken_; }

  // The id and the secret of the greeting; empty until its line is complete.
  const std::string& id() const { return id_; }
  const std::string& secret() const { return secret_; }

 private:
  // Each takes what it reads off `input`; false when there is no whole one, or it is broken.
  bool read_next(std::string_view& input, std::vector<LogFrame>& frames);
  bool read_greeting(std::string_view& input);
  bool read_frame(std::string_view& input, std::vector<LogFrame>& frames);

  std::string rest_;   // what is unfinished
  std::string whole_;  // what was, with its end
  std::string id_, secret_;
  bool broken_ = false;
};

}  // namespace renga::sandbox
