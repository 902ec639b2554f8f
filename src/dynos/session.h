// Session: one client attached to one one-off dyno, or to a command beside a dyno: bytes both ways
// until the dyno has ended or the client is gone. Two threads of its own, since both sides block;
// whoever holds it may call from any thread. Private to dynos: see rendezvous.h.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/locked.h"
#include "dynos/engine.h"
#include "dynos/exit_marker.h"
#include "http/server.h"
#include "net/frames.h"

namespace renga::dynos {

struct SessionOptions {
  bool terminal = true;
  bool framed = false;  // net/frames.h both ways, as our own CLI wants it; else bare bytes
  std::chrono::milliseconds idle = std::chrono::hours(1);
  // Without a terminal and without frames, a last byte of 0x04 is the end of the input: last when
  // nothing follows for so long.
  std::chrono::milliseconds end_of_input{250};
  std::chrono::milliseconds marker{1'000};  // for the rest of an exit marker's line
  // Between the dyno's end and the end of its output, whoever else may hold that.
  std::chrono::milliseconds settle{2'000};
};

class Session {
 public:
  Session(Engine& engine, Id<Dyno> dyno, std::shared_ptr<http::RawConnection> connection,
          SessionOptions options);
  // Lets the client go, and waits for both threads: those need the connection's server to be
  // there, or to have been closed.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Id<Dyno>& dyno() const { return dyno_; }
  void start(Attachment attachment);
  // Instead of start(): the client reads why.
  void refuse(const std::string& why);
  void ended(int status);                      // the dyno; also before start(). Never blocks
  bool over() const { return at_work_ == 0; }  // and its end takes no time

 private:
  struct Shared {
    std::optional<int> status;
    bool client_left = false;
    bool closing = false;
    bool input_open = true;
    std::optional<std::chrono::steady_clock::time_point> held_end;  // a 0x04 since then
  };

  void pump_output();
  void pump_input();
  void read_leash();
  bool read_output(ExitMarker& marker);
  bool send(std::string_view bytes);
  void take(std::string_view bytes);
  void take_frame(char type, std::string_view content);
  void write_input(std::string_view bytes);
  void end_input();
  void end_held_input();
  void wake();
  int wait_limit(bool held_marker);

  Engine& engine_;
  const Id<Dyno> dyno_;
  const std::shared_ptr<http::RawConnection> connection_;
  const SessionOptions options_;
  Attachment attachment_;
  bool exec_ = false;  // a command beside the dyno's own: it ends with its leash
  os::Fd wake_;        // the output's thread looks again
  os::Fd stopped_;     // readable for good: the input's thread waits for nothing any more
  Locked<Shared> shared_;
  net::FrameReader frames_;
  std::atomic<std::chrono::steady_clock::time_point> active_;
  std::atomic<int> at_work_ = 2;
  std::thread output_thread_, input_thread_;
};

}  // namespace renga::dynos
