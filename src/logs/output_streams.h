// Output streams: the output of one build or one release command, kept in a file of its own and followed
// while it grows. An id is a capability: whoever knows its URL may read it. Safe from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace renga::logs {

class OutputStreams {
 public:
  explicit OutputStreams(std::filesystem::path directory);
  ~OutputStreams();
  OutputStreams(const OutputStreams&) = delete;
  OutputStreams& operator=(const OutputStreams&) = delete;

  // A new stream's id (64 random hexadecimal digits).
  std::string create();
  // Appends; past 16 MiB the rest is dropped and said once. No-op on a finished stream.
  void append(const std::string& id, std::string_view bytes);
  // Nothing follows. What was appended is on the disk when this returns.
  void finish(const std::string& id);
  bool finished(const std::string& id) const;
  bool exists(const std::string& id) const;

  // Hands over everything from `offset` on, in pieces, and waits for more until the stream is finished
  // or `each` returns false. False when there is no such stream.
  bool follow(const std::string& id, std::uint64_t offset,
              const std::function<bool(std::string_view)>& each);

  // The answer to a GET of a stream's URL: plain text, chunked, until it is finished; Range: bytes=N-
  // and Last-Event-ID resume; Server-Sent Events when asked for. 404 for an unknown id.
  http::Response open(const http::Request& request, const std::string& id);
  void remove(const std::string& id);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::logs
