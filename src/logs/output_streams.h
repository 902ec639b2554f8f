// Output streams: the output of one build or one release command, kept in a file of its own and
// followed while it grows. An id is a capability: whoever knows its URL may read it. DIR/<id>.open
// grows, DIR/<id>.done is finished; one that a crash left open can be appended to again. Safe from
// any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace renga::logs {

struct OutputStreamsOptions {
  std::int64_t most_bytes = 16LL << 20;                             // of one stream
  std::chrono::milliseconds ping_every = std::chrono::seconds(20);  // of idle Server-Sent Events
};

class OutputStreams {
 public:
  // The directory is made (mode 0700) when it is missing.
  explicit OutputStreams(std::filesystem::path directory, OutputStreamsOptions options = {});
  // Ends every follower.
  ~OutputStreams();
  OutputStreams(const OutputStreams&) = delete;
  OutputStreams& operator=(const OutputStreams&) = delete;

  // A new stream's id (64 random hexadecimal digits).
  std::string create();
  // Appends; past 16 MiB the rest is dropped and said once. No-op on a finished or unknown stream.
  void append(const std::string& id, std::string_view bytes);
  // Nothing follows. What was appended is on the disk when this returns.
  void finish(const std::string& id);
  bool finished(const std::string& id) const;
  bool exists(const std::string& id) const;

  // Hands over everything from `offset` on, in pieces, and waits for more until the stream is
  // finished or removed, or `each` returns false. False when there is no such stream. Holds the
  // calling thread.
  bool follow(const std::string& id, std::uint64_t offset,
              const std::function<bool(std::string_view)>& each);

  // The answer to a GET of a stream's URL: plain text, chunked, until it is finished; Range:
  // bytes=N- and Last-Event-ID resume; Server-Sent Events when asked for (ids are offsets). 404 for
  // an unknown id, 416 for a range past the end of a finished one. Holds no thread while it waits.
  http::Response open(const http::Request& request, const std::string& id);
  void remove(const std::string& id);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace renga::logs
