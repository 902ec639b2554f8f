#include "router/h2_connection.h"

#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>

#include <algorithm>

#include "base/report.h"
#include "router/client_connection.h"
#include "router/h2_frames.h"
#include "router/h2_stream.h"
#include "router/proxy_loop.h"

namespace renga::router {

namespace {
constexpr int reads_in_a_row = 16;
// Frames are gathered until they fill a TLS record; more is only made when that has been taken.
constexpr std::size_t gathered = 16 * 1024;
// Streams that were reset for what the client did: so many at once, then so many a second.
constexpr std::uint64_t wrongs_at_once = 500;
constexpr std::uint64_t wrongs_a_second = 100;
// Frames that wait for a client who does not read, before we do not read either.
constexpr std::size_t most_frames_waiting = 1000;
}  // namespace

Http2Connection::Http2Connection(ProxyLoop& loop, std::unique_ptr<Transport> transport,
                                 std::string ip, const Entrance& entrance)
    : loop_(loop),
      transport_(std::move(transport)),
      ip_(std::move(ip)),
      entrance_(entrance),
      session_(Frames::open(*this)),
      idle_([this] { guarded([this] { close(); }); }),
      stalled_([this] { guarded([this] { close(); }); }),
      wrongs_left_(wrongs_at_once) {
  loop_.events().add(transport_->fd(), *this);
}

Http2Connection::~Http2Connection() {
  for (auto& [id, stream] : streams_) {
    if (stream->transport != nullptr) stream->transport->detach();
  }
  loop_.events().cancel(last_call_);
  if (!closed_) loop_.events().remove(transport_->fd(), *this);
  nghttp2_session_del(session_);
}

void Http2Connection::guarded(const std::function<void()>& work) {
  if (closed_) return;
  try {
    work();
  } catch (const std::exception& wrong) {
    report("router", std::string("a connection was closed: ") + wrong.what());
    if (!closed_) close();
  }
}

void Http2Connection::start(std::string_view first_bytes) {
  guarded([&] {
    loop_.waits().keep_alive.start(idle_);
    feed(first_bytes);
    read();
    send();
  });
}

void Http2Connection::on_events(std::uint32_t events) {
  guarded([&] {
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) peer_closed_ = true;
    if ((events & EPOLLOUT) != 0) blocked_ = false;
    if ((events & EPOLLERR) != 0) return close();
    read();
    send();
  });
}

void Http2Connection::read() {
  auto& scratch = loop_.scratch();
  for (int reads = 0; !closed_ && readable_; ++reads) {
    if (blocked_ && nghttp2_session_get_outbound_queue_size(session_) > most_frames_waiting) return;
    if (reads == reads_in_a_row) return loop_.flush_later(*this);
    const auto got = transport_->read(scratch.data(), scratch.size());
    if (got.drained) readable_ = peer_closed_ && got.status == Transport::Status::moved;
    if (got.status == Transport::Status::closed || got.status == Transport::Status::broken) {
      return close();
    }
    if (got.status == Transport::Status::blocked) return;
    feed({scratch.data(), got.bytes});
  }
}

// nghttp2 answers what is wrong with a connection by GOAWAY; after that it wants nothing more.
void Http2Connection::feed(std::string_view bytes) {
  if (closed_ || bytes.empty()) return;
  const auto taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) {
    // Not HTTP/2, or a flood.
    nghttp2_session_terminate_session(session_, taken == NGHTTP2_ERR_FLOODED
                                                    ? NGHTTP2_ENHANCE_YOUR_CALM
                                                    : NGHTTP2_PROTOCOL_ERROR);
    readable_ = false;
    send();
    return close();
  }
  deliver();
}

void Http2Connection::touch(Stream& stream) {
  if (std::exchange(stream.touched, true)) return;
  touched_.push_back(stream.id);
}

// What nghttp2's callbacks have taken note of.
void Http2Connection::deliver() {
  while (!closed_ && !touched_.empty()) {
    const auto ids = std::exchange(touched_, {});
    for (const auto id : ids) {
      if (closed_) return;
      const auto found = streams_.find(id);
      if (found == streams_.end()) continue;
      auto& stream = *found->second;
      stream.touched = false;
      if (stream.closed) {
        // Closed because all was said, or by a reset.
        if (stream.answer_sent && stream.client != nullptr) stream.client->on_events(EPOLLOUT);
        auto* client = stream.client;
        if (stream.transport != nullptr) stream.transport->detach();
        streams_.erase(id);
        if (client != nullptr) {
          --serving_;
          client->on_events(EPOLLERR);
        }
      } else if (std::exchange(stream.head_is_new, false)) {
        begin(stream);
      } else if (stream.client != nullptr) {
        stream.client->on_events(EPOLLIN | EPOLLOUT);
      }
    }
  }
  rest();
}

void Http2Connection::begin(Stream& stream) {
  // Not kept while it is answered: HPACK makes 64 KiB of some bytes, and there are many streams.
  auto request = std::move(stream.request);
  const auto parsed = request.finish(stream.has_body, loop_.request_parser());
  if (request.malformed()) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_PROTOCOL_ERROR);
    return;
  }
  if (!loop_.has_room()) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_REFUSED_STREAM);
    return;
  }
  const auto& head = loop_.request_parser().head();
  stream.chunked = head.framing.body == http::Body::chunked;
  auto transport = std::make_unique<Http2Stream>(*this, stream);
  stream.transport = transport.get();
  idle_.cancel();
  auto& client = loop_.add_stream(std::move(transport), ip_, entrance_);
  stream.client = &client;
  ++serving_;
  client.begin_stream(head, parsed);
}

// The ClientConnection of this stream has ended it.
void Http2Connection::forget(std::int32_t id) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  if (std::exchange(found->second->client, nullptr) != nullptr) --serving_;
  found->second->transport = nullptr;
  rest();
}

// What a client does wrong costs it a stream, which then counts no more among those that it may
// have open: so a request could be made, reset by an error, and the next one made, as with a reset
// of its own (CVE-2025-8671).
void Http2Connection::was_wrong() {
  const auto now = loop_.events().now();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - wrongs_since_);
  if (seconds.count() > 0) {
    wrongs_since_ = now;
    const auto earned = static_cast<std::uint64_t>(seconds.count()) * wrongs_a_second;
    wrongs_left_ = std::min(wrongs_at_once, wrongs_left_ + earned);
  }
  if (wrongs_left_ == 0) {
    nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
  } else {
    --wrongs_left_;
  }
}

// Frames into out_, as long as the socket takes them. False: nghttp2 has given up.
bool Http2Connection::fill() {
  while (out_.size() < gathered) {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) return false;
    if (size == 0) return true;
    out_.append({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  }
  return true;
}

void Http2Connection::send() {
  while (!closed_ && !blocked_) {
    if (!fill()) return close();
    deliver();
    if (closed_) return;
    if (out_.empty()) break;
    const auto left = out_.left();
    iovec part{const_cast<char*>(left.data()), left.size()};
    const auto sent = transport_->write(&part, 1);
    if (sent.status == Transport::Status::broken) return close();
    if (sent.status != Transport::Status::moved) {
      blocked_ = true;
      if (!stalled_.waits()) loop_.waits().idle.start(stalled_);
      return;
    }
    stalled_.cancel();
    out_.take(sent.bytes);
  }
  if (closed_ || blocked_ || !out_.empty()) return;
  if (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0) {
    close();
  }
}

void Http2Connection::flush() {
  guarded([this] {
    if (readable_) read();
    send();
  });
}

// A stream that is open counts for nothing by itself: its head may never be whole, or the client
// may not read that it was reset.
void Http2Connection::rest() {
  if (closed_ || serving_ > 0 || idle_.waits()) return;
  loop_.waits().keep_alive.start(idle_);
}

void Http2Connection::drain(bool at_once) {
  guarded([&] {
    if (std::exchange(draining_, true)) return;
    const auto leave = [this] {
      const auto last = nghttp2_session_get_last_proc_stream_id(session_);
      nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, nullptr, 0);
      send();
    };
    if (at_once) return leave();
    nghttp2_submit_shutdown_notice(session_);
    send();
    last_call_ = loop_.events().after(loop_.limits().last_call, [this, leave] {
      last_call_ = 0;
      guarded(leave);
    });
  });
}

void Http2Connection::force_close() {
  if (!closed_) close();
}

void Http2Connection::close() {
  if (closed_) return;
  closed_ = true;
  idle_.cancel();
  stalled_.cancel();
  loop_.events().cancel(std::exchange(last_call_, 0));
  auto streams = std::exchange(streams_, {});
  for (auto& [id, stream] : streams) {
    auto* client = stream->client;
    if (stream->transport != nullptr) stream->transport->detach();
    if (client != nullptr) client->on_events(EPOLLERR);
  }
  loop_.events().remove(transport_->fd(), *this);
  transport_->finish_writing();
  transport_->close();
  loop_.gone(*this);
}

}  // namespace renga::router
