// ClientConnection: one client at the edge and the request it has under way, as a state machine on
// its loop's thread. Split by direction: client_connection.cpp has the connection and its states,
// admission.cpp the choice of a dyno, uploading.cpp the way to the dyno, answering.cpp the way
// back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/chunked.h"
#include "http/parser.h"
#include "net/event_loop.h"
#include "router/exchange.h"
#include "router/h_codes.h"
#include "router/listeners.h"
#include "router/pending.h"
#include "router/time_outs.h"
#include "router/transport.h"

namespace renga::router {

class ProxyLoop;

class ClientConnection final : public net::Watcher {
 public:
  // `entrance` is the loop's listener's, which outlives its clients.
  ClientConnection(ProxyLoop& loop, std::unique_ptr<Transport> transport, std::string ip,
                   const Entrance& entrance);
  ~ClientConnection() override;

  void on_events(std::uint32_t events) override;
  // The request of an HTTP/2 stream: there is one, and it is here. `head` is not used afterwards.
  void begin_stream(const http::RequestHead& head, const http::Parsed& parsed);
  void on_dyno_events(std::uint32_t events);
  // Goes on where it stopped reading to let others have their turn.
  void resume() {
    guarded([] {});
  }

  void send_from_outbox();

  [[gnu::cold]] void table_changed();
  // Ends with the request under way; without one at once, or after the next.
  enum class Last { this_request, next_request };
  [[gnu::cold]] void drain(Last last);
  [[gnu::cold]] void force_close();  // the drain has lasted too long: H24
  bool is_stream() const { return stream_ != nullptr; }

  // In the loop's lists and outbox, their own.
  static constexpr std::size_t nowhere = ~std::size_t{0};
  std::size_t place = 0;
  std::size_t held_place = nowhere;
  std::size_t outbox_place = nowhere;

 private:
  enum class State {
    head,        // waits for a request, or for the rest of its head
    queued,      // holds a request until there is a dyno for it
    connecting,  // to a dyno
    relaying,
    pipe,       // after 101: bytes both ways
    finishing,  // the answer is complete, but not all of it is sent
    lingering,  // has been answered and told to close; what it still sends is read and dropped
    closed
  };

  // What few requests come to is marked cold: so its code lies apart from what every request runs,
  // and takes no room in the processor's first cache.

  // What the machine does wrong (no memory, no descriptors) ends the one connection that it
  // happens to.
  template <class Work>
  void guarded(Work work) {
    if (state_ == State::closed) return;
    try {
      work();
      run();
    } catch (const std::exception& wrong) {
      ended_by(wrong);
    }
  }

  // --- client_connection.cpp: the connection
  [[gnu::cold]] void ended_by(const std::exception& wrong);
  void run();
  void advance();
  void read_head();
  bool take_head(char* bytes, std::size_t size);  // false: more bytes are needed
  void count_head(std::size_t size);              // that is not whole; 0: there is none
  [[gnu::cold]] void leave_for_http2(std::string_view first_bytes);
  [[gnu::cold]] void refuse_head(const http::RequestHead& head, const http::Parsed& why);
  void keep_input(std::string_view rest);
  bool empty_outbox();
  void flush_to_client();
  void send_to_client(std::string_view head, std::string_view body, std::string_view tail = {});
  [[gnu::cold]] void client_gone();
  [[gnu::cold]] void timed_out();
  [[gnu::cold]] void linger();
  void close();
  void wait_for_request();

  // --- admission.cpp: which dyno
  void begin(const http::RequestHead& head, char* rest, std::size_t size);
  void identify(const http::RequestHead& head);
  void admit();
  const Dyno* choose() const;  // none: all are in quarantine
  [[gnu::cold]] void hold(std::chrono::milliseconds look_again);
  [[gnu::cold]] void queue_timed_out();
  void connect_to(const Dyno& dyno, bool pooled);
  [[gnu::cold]] void connect_failed(const HCode& code);
  void connected();
  void let_go(bool reusable);
  void start_counting();
  void stop_counting();
  void move_to_meter(Meter* meter);

  // --- uploading.cpp: client to dyno
  std::size_t take_body(char* data, std::size_t size);
  void pump_request();
  void send_to_dyno(std::string_view bytes);
  void flush_to_dyno();
  void request_progress();
  bool request_sent() const;
  bool dyno_owes_continue() const;
  void pump_pipe();

  // --- answering.cpp: dyno to client
  void pump_response();
  void take_response_head(char* data, std::size_t size);
  void begin_response(const http::ResponseHead& head, char* body, std::size_t size);
  [[gnu::cold]] void send_continue();
  [[gnu::cold]] void refuse_response(http::Flaw flaw, std::string_view head);
  [[gnu::cold]] void switch_protocols(const http::ResponseHead& head, std::string_view rest);
  void take_response_body(std::string& head, char* data, std::size_t size);
  [[gnu::cold]] void dyno_closed(bool reset);
  [[gnu::cold]] bool try_again(bool reset);
  void response_complete(bool leftover);
  bool dyno_connection_is_clean() const;
  [[gnu::cold]] void fail_request(const HCode& code, std::string_view cause = {});
  [[gnu::cold]] void answer_page(int status, std::string_view html);
  [[gnu::cold]] void answer(int status, std::string_view content_type, std::string_view body,
                            std::string_view location = {});
  [[gnu::cold]] void send_own_head(int status, std::string_view content_type, std::size_t size,
                                   std::string_view location, bool ends);
  void log(const HCode* code, std::string_view cause, int status);
  bool client_stays() const;
  void end_request();

  ProxyLoop& loop_;
  std::unique_ptr<Transport> transport_;
  Http2Stream* const stream_;  // that the transport is; none: HTTP/1
  const std::string ip_;
  const Entrance& entrance_;
  State state_ = State::head;
  Waiting step_;   // the wait of the state
  Waiting queue_;  // all of waiting for a dyno

  std::string in_;                                // bytes of the client that are not taken yet
  std::unique_ptr<http::RequestParser> partial_;  // of the head that begins in_
  std::size_t head_counted_ = 0;                  // of it, by the loop
  Pending to_client_;
  bool readable_ = true;
  bool client_closed_ = false;  // its FIN has come
  bool broken_ = false;         // a write to it failed
  bool last_request_ = false;   // draining
  bool protocol_known_ = false;
  bool again_ = false;                  // advance() goes round once more
  net::TimerId look_ = 0;               // when every dyno was in quarantine
  std::unique_ptr<Exchange> exchange_;  // none while it waits for a request
};

}  // namespace renga::router
