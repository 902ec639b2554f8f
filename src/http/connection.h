// Connection: one client, as a state machine on the loop's thread. Private to http/.
//
// There are two sides. The input is at one place at a time: the first byte, a head, a body, and so
// on (Input). The output is a queue of bytes, and behind it the Outflow of the streamed answer, if
// there is one. Between them is at most one Exchange: requests that are pipelined behind it wait in
// the socket. pump() moves everything as far as it goes; whatever may have changed something calls
// it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/chunked.h"
#include "http/flow.h"
#include "http/parser.h"
#include "http/server.h"
#include "http/transport.h"
#include "http/worker_pool.h"
#include "net/event_loop.h"

namespace renga::http {

// One request and its answer, shared with the worker that makes it. The worker has `request` and
// `route` from when it is started; the rest is the loop's.
struct Exchange {
  Request request;
  Route route;
  int minor = 1;
  bool to_head = false;          // answers have no body
  bool keep_alive = true;        // the client's wish
  bool wants_continue = false;   // Expect: 100-continue, and neither it nor an answer was sent
  bool answering = false;        // the answer's head is queued
  bool answered = false;         // all of it is queued
  std::shared_ptr<Inflow> in;    // of a streamed body
  std::shared_ptr<Outflow> out;  // of a streamed answer
  bool chunked = false;          // how that answer is framed
};

class Connection;

// What all connections of a server share; outlives them. The loop's thread only.
struct Shared {
  const ServerOptions& options;
  net::EventLoop& loop;
  std::shared_ptr<LoopDoor> door;
  WorkerPool& pool;
  std::vector<char> scratch = std::vector<char>(64 * 1024);
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections = {};
  std::function<void()> changed = {};  // after a connection went
  bool draining = false;
};

class Connection final : public net::Watcher, public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, os::Fd fd, std::string peer);
  ~Connection() override;

  void start();
  void on_events(std::uint32_t events) override;
  void drain();  // closes when idle, else after the answer
  void close();  // at once

  // For workers, by way of the loop.
  void pump();
  void answer(const std::shared_ptr<Exchange>& exchange, Response response);
  void start_stream(const std::shared_ptr<Exchange>& exchange, std::shared_ptr<Outflow> out,
                    const Response& head);

 private:
  enum class Input { first_byte, head, body, waiting, raw, raw_ended, lingering, closed };
  using SteadyTime = std::chrono::steady_clock::time_point;
  using Milliseconds = std::chrono::milliseconds;

  // connection_input.cpp
  bool fill_input();
  bool sniff();
  bool consume_input();
  bool consume_head();
  bool consume_body();
  bool consume_length();
  bool consume_chunks();
  bool consume_line();
  bool input_ended();
  bool wants_input() const;
  void begin_request();
  bool body_piece(std::string_view bytes);
  void body_complete();
  void refuse(int status, std::string_view reason);
  void take_input(std::size_t bytes);
  std::string_view input() const { return std::string_view(in_).substr(in_at_); }

  // connection_answer.cpp
  void dispatch();
  void start_raw(std::string line);
  bool fill_output();
  bool flush();
  void end_of_answer();
  void begin_lingering();
  void next_request();
  bool keeps(const Response& response) const;
  bool can_discard_body() const;
  std::function<void()> waker();

  // connection.cpp
  void set_input_limit(std::optional<Milliseconds> limit);
  void arm();
  void on_timer();

  Shared& shared_;
  Transport transport_;
  const std::string peer_;
  Input input_ = Input::first_byte;
  bool pumping_ = false;
  bool read_blocked_ = false;
  bool write_blocked_ = false;
  bool peer_done_ = false;  // its side of the connection is closed
  bool first_request_ = true;
  bool close_after_answer_ = false;

  std::string in_;  // from in_at_: not consumed yet
  std::size_t in_at_ = 0;
  RequestParser parser_;
  ChunkedDecoder chunks_;
  bool body_is_chunked_ = false;
  std::uint64_t body_left_ = 0;
  std::size_t discarded_ = 0;  // of a body nobody wants, or while lingering

  std::deque<std::string> out_;
  std::size_t out_at_ = 0;       // sent of the first
  std::size_t out_payload_ = 0;  // how much of out_ the Outflow counts as unsent

  std::shared_ptr<Exchange> exchange_;

  std::optional<SteadyTime> input_deadline_;
  std::optional<SteadyTime> output_deadline_;
  net::TimerId timer_ = 0;
  SteadyTime timer_at_{};
};

}  // namespace renga::http
