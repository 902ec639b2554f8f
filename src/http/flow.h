// The two bounded bridges between a connection on the loop's thread and the handler on a worker's:
// Inflow carries a body in, Outflow an answer out. Private to http/.
//
// Each has a side for the handler, which may wait, and a side for the connection, which never does.
// They hold nothing of the connection but a way to wake it, so either may outlive the other.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/locked.h"
#include "http/server.h"
#include "net/event_loop.h"

namespace renga::http {

// The way to a loop that may be gone. Safe from any thread.
class LoopDoor {
 public:
  explicit LoopDoor(net::EventLoop& loop) : loop_(&loop) {}
  bool post(std::function<void()> work);  // false once shut, and then `work` never runs
  bool on_this_thread();
  void shut();

 private:
  Locked<net::EventLoop*> loop_;
};

// What Inflow::read() throws: not the platform's fault, and so not worth a line in its log.
struct ClientLeft : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// `wake` may be called from any thread and must not block: it makes the connection look again.
class Inflow {
 public:
  static constexpr std::size_t full = 256 * 1024;

  explicit Inflow(std::function<void()> wake) : wake_(std::move(wake)) {}

  // The handler's side.
  std::string read();

  // The connection's side.
  void push(std::string_view bytes);
  void end();
  void fail();           // read() throws from now on, once it has given what there is
  bool has_room();       // less than `full` waits to be read
  bool was_asked_for();  // read() was called: time for 100 Continue

 private:
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string bytes_;
  bool ended_ = false;
  bool failed_ = false;
  bool asked_for_ = false;
};

class Outflow {
 public:
  Outflow(std::shared_ptr<LoopDoor> door, std::function<void()> wake)
      : door_(std::move(door)), wake_(std::move(wake)) {}

  // The handler's side: ResponseStream describes it.
  bool write(std::string_view bytes);
  bool try_write(std::string_view bytes);
  bool open();
  void on_closed(std::function<void()> callback);
  void finish();
  void break_off();  // the answer cannot be finished: the connection is cut instead

  // The connection's side.
  enum class State { open, finished, broken };
  struct Taken {
    std::deque<std::string> pieces;
    std::size_t bytes = 0;
    State state = State::open;  // finished or broken only behind the last piece
  };
  Taken take();  // at most about 128 KiB; they count as unsent until sent()
  void sent(std::size_t bytes);
  void client_left();  // on the loop's thread, or when the loop is gone

 private:
  bool append(std::string_view bytes);

  std::shared_ptr<LoopDoor> door_;
  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> pieces_;
  std::size_t unsent_ = 0;
  State state_ = State::open;
  bool left_ = false;   // the client
  bool woken_ = false;  // since the last take()
  std::function<void()> callback_;
};

// What handlers hold. The last reference ends the answer.
class AnswerStream final : public ResponseStream {
 public:
  explicit AnswerStream(std::shared_ptr<Outflow> out) : out_(std::move(out)) {}
  ~AnswerStream() override { out_->finish(); }
  bool write(std::string_view bytes) override { return out_->write(bytes); }
  bool try_write(std::string_view bytes) override { return out_->try_write(bytes); }
  bool open() const override { return out_->open(); }
  void on_closed(std::function<void()> callback) override { out_->on_closed(std::move(callback)); }
  void finish() override { out_->finish(); }

 private:
  std::shared_ptr<Outflow> out_;
};

class RequestBody final : public BodyReader {
 public:
  explicit RequestBody(std::shared_ptr<Inflow> in) : in_(std::move(in)) {}
  std::string read() override { return in_->read(); }

 private:
  std::shared_ptr<Inflow> in_;
};

class RawStream final : public RawConnection {
 public:
  RawStream(std::shared_ptr<Inflow> in, std::shared_ptr<Outflow> out)
      : in_(std::move(in)), out_(std::move(out)) {}
  ~RawStream() override { out_->finish(); }
  std::string read() override { return in_->read(); }
  bool write(std::string_view bytes) override { return out_->write(bytes); }
  bool try_write(std::string_view bytes) override { return out_->try_write(bytes); }
  bool open() const override { return out_->open(); }
  void on_closed(std::function<void()> callback) override { out_->on_closed(std::move(callback)); }
  void finish() override { out_->finish(); }

 private:
  std::shared_ptr<Inflow> in_;
  std::shared_ptr<Outflow> out_;
};

}  // namespace renga::http
