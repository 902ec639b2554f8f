// Channel: messages with descriptors between control and the spawner, over a stream socket: four
// bytes of length, then records. Both ends trust each other with nothing but form: lengths are
// bounded.
//
// Requests begin with one record that is the verb: start (then the flags 'o' and 'i' for
// descriptors that come along, in that order, and a record 'S' with the packed Spec), exec (a
// record 'S' with the packed Exec; descriptors for input, output and leash), address,
// leave, and kill, signal and remove (then 'i', the id, and for signal 'n', its
// number). The answer is a record 'k' with what was asked for, or 'x', a Kind and a message.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/fd.h"

namespace renga::sandbox {

class Channel {
 public:
  explicit Channel(os::Fd socket) : socket_(std::move(socket)) {}

  struct Message {
    std::string bytes;
    std::vector<os::Fd> descriptors;
  };

  // Throws std::system_error: EPIPE when the other end is gone, ETIMEDOUT.
  void send(std::string_view message, const std::vector<int>& descriptors = {});
  // Nothing at the end. Throws on a broken message, and ETIMEDOUT when it is not complete by then.
  std::optional<Message> receive(std::optional<std::chrono::milliseconds> limit = {});

  void close() { socket_.close(); }
  const os::Fd& socket() const { return socket_; }

 private:
  os::Fd socket_;
};

}  // namespace renga::sandbox
