// What control and router say to each other over the router's unix socket: frames of a length (4
// bytes, the machine's order), a type (1 byte) and a payload. Hello carries the listening sockets
// with it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/event_loop.h"
#include "os/fd.h"
#include "router/pending.h"

namespace renga::router {

enum class Frame : std::uint8_t {
  // router to control
  hello = 'H',       // who it is (JSON), with its listening sockets; first of all
  taken_over = 'G',  // the generation of the table that every loop works by
  retired = 'D',     // a dyno's id
  records = 'R',     // request log (log_records.h); kept until it is taken
  dropped = 'O',     // so many requests were not logged, since control took too long
  wake = 'W',        // the id of an app that is idle and has a request
  pong = 'Q',
  figures = 'F',     // figures.h (JSON), as asked
  turns = 'E',       // how many of its loops' turns took how long, by Durations' bounds (JSON)
  need_table = 'N',  // the change was of another table than ours: the whole is to be sent
  // control to router
  table = 'T',         // a RouteTable (JSON); the next one or a change once it is taken over
  change = 'U',        // a TableChange (JSON) of the one sent last; the same
  certificates = 'C',  // certificate_list.h (JSON)
  stop = 'S',          // finish and end
  hand_over = 'V',     // the same, for another router that has the same sockets: clients that ask
                       // nothing may ask once more
  ping = 'P',
  ask_figures = 'A',
  ask_turns = 'L',
  records_taken = 'K'  // the oldest one of those that are not taken yet
};

struct FrameEvents {
  std::function<void(Frame type, std::string payload, std::vector<os::Fd> descriptors)> on_frame;
  std::function<void(const std::string& why)> on_closed;  // once; the owner may then destroy it
};

// One end. Belongs to its loop's thread. The owner bounds what it sends by looking at unsent().
class FrameSocket final : public net::Watcher {
 public:
  FrameSocket(net::EventLoop& loop, os::Fd socket, FrameEvents events);
  ~FrameSocket() override;
  FrameSocket(const FrameSocket&) = delete;
  FrameSocket& operator=(const FrameSocket&) = delete;

  void send(Frame type, std::string_view payload);
  // Only as the first frame.
  void send_first(Frame type, std::string_view payload, const std::vector<int>& descriptors);
  std::size_t unsent() const { return out_.size(); }
  void on_events(std::uint32_t events) override;

 private:
  void flush();
  void read();
  void close(const std::string& why);

  net::EventLoop& loop_;
  os::Fd socket_;
  FrameEvents events_;
  Pending out_;
  std::string in_;
  std::vector<os::Fd> descriptors_;
  bool closed_ = false;
};

}  // namespace renga::router
