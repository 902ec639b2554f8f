// Http2Connection: one client that speaks HTTP/2, on its loop's thread. nghttp2 reads and writes
// the frames; each of its streams is a ClientConnection with one request, whose Transport is an
// Http2Stream. So what is true of a request over HTTP/1.1 (which dyno, which limits, which codes,
// what is logged) is true of one over HTTP/2.
//
// nghttp2's callbacks only take note; what follows for the streams is done when it has returned,
// since that may come back to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "http/parser.h"
#include "net/event_loop.h"
#include "router/listeners.h"
#include "router/pending.h"
#include "router/time_outs.h"
#include "router/transport.h"

struct nghttp2_session;

namespace renga::router {

class ClientConnection;
class Http2Stream;
class ProxyLoop;

class Http2Connection final : public net::Watcher {
 public:
  // `entrance` is the loop's listener's, which outlives its clients.
  Http2Connection(ProxyLoop& loop, std::unique_ptr<Transport> transport, std::string ip,
                  const Entrance& entrance);
  ~Http2Connection() override;

  void start(std::string_view first_bytes);
  void on_events(std::uint32_t events) override;
  // Sends what the streams have left since the last time.
  void flush();
  // Refuses new streams, at once or after those that are on their way have had time to come, and
  // ends with the last of the others.
  void drain(bool at_once);
  void force_close();

  std::size_t place = 0;      // in the loop's list, the loop's own
  bool flush_is_due = false;  // the loop's own
  const std::string& ip() const { return ip_; }
  bool good_for(std::string_view host) const { return transport_->good_for(host); }
  std::string_view tls_version() const { return transport_->tls_version(); }

 private:
  friend class Http2Stream;
  struct Frames;  // nghttp2's callbacks
  struct Stream;

  void guarded(const std::function<void()>& work);
  void read();
  void feed(std::string_view bytes);
  void deliver();
  void begin(Stream& stream);
  void send();
  bool fill();
  void touch(Stream& stream);
  void forget(std::int32_t id);
  void was_wrong();  // the client, so that a stream was reset
  void rest();       // no request is under way: a while, or the end
  void close();

  ProxyLoop& loop_;
  std::unique_ptr<Transport> transport_;
  const std::string ip_;
  const Entrance& entrance_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<std::int32_t, std::unique_ptr<Stream>> streams_;
  std::size_t serving_ = 0;            // streams whose request is under way
  std::vector<std::int32_t> touched_;  // something of theirs has come, or has gone
  Pending out_;
  Waiting idle_;
  Waiting stalled_;  // the client takes nothing
  std::uint64_t wrongs_left_ = 0;
  std::chrono::steady_clock::time_point wrongs_since_;
  net::TimerId last_call_ = 0;
  bool readable_ = true;
  bool peer_closed_ = false;
  bool blocked_ = false;  // the socket takes no more for now
  bool draining_ = false;
  bool closed_ = false;
};

}  // namespace renga::router
