// Client to dyno: the request's body, and after 101 whatever comes. The head and what came with it
// wait in to_dyno from the start; while all of that is small it is kept, so that a connection that
// turns out to be stale can be replaced by another. Beyond, bytes go from one socket to the other
// through the loop's scratch buffer, and only what the dyno does not take at once is kept.
#include <algorithm>

#include "router/chunk_filter.h"
#include "router/client_connection.h"
#include "router/proxy_loop.h"

namespace renga::router {

namespace {
constexpr int reads_in_a_row = 16;
}

// Takes what belongs to the request's body, and returns how much that was.
std::size_t ClientConnection::take_body(char* data, std::size_t size) {
  auto& x = *exchange_;
  if (x.received || size == 0) return 0;
  if (x.framing.body == http::Body::length) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(x.body_left, size));
    x.body_left -= count;
    x.received = x.body_left == 0;
    x.bytes_in += count;
    send_to_dyno({data, count});
    return count;
  }
  const auto chunks = filter_chunks(x.chunks, data, size, Keep::framing_and_payload);
  x.bad_chunk = chunks.refused;
  x.received = chunks.done;
  x.bytes_in += chunks.payload;
  if (!chunks.refused) send_to_dyno({data, chunks.kept});
  return chunks.used;
}

void ClientConnection::pump_request() {
  auto& x = *exchange_;
  // The first bytes may have come behind the head of a request that was held meanwhile.
  auto& scratch = loop_.scratch();
  for (int reads = 0; !x.received && readable_; ++reads) {
    if (x.to_dyno.size() > loop_.limits().backpressure) break;
    if (reads == reads_in_a_row) return loop_.again(*this);
    const auto got = transport_->read(scratch.data(), scratch.size());
    if (got.drained) readable_ = client_closed_ && got.status == Transport::Status::moved;
    if (got.status == Transport::Status::closed || got.status == Transport::Status::broken) {
      return client_gone();
    }
    if (got.status == Transport::Status::blocked) break;
    const auto used = take_body(scratch.data(), got.bytes);
    if (x.bad_chunk) {
      x.keep_alive = false;
      return fail_request(h::bad_chunk, "bad chunk");
    }
    keep_input({scratch.data() + used, got.bytes - used});
    request_progress();
  }
}

void ClientConnection::send_to_dyno(std::string_view bytes) {
  auto& x = *exchange_;
  const bool connected = state_ == State::relaying || state_ == State::pipe;
  if (x.upload_broken) return;
  if (x.replayable && x.to_dyno.sent() + x.to_dyno.size() + bytes.size() > loop_.limits().replay) {
    x.replayable = false;
    x.to_dyno.forget_sent();
  }
  if (connected && !x.replayable && x.to_dyno.empty()) {
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const auto outcome = x.connection->transport().write(&part, 1);
    if (outcome.status == Transport::Status::broken) {
      x.upload_broken = x.readable = x.dyno_finished = true;
      return;
    }
    bytes.remove_prefix(outcome.bytes);
  }
  x.to_dyno.append(bytes);
  if (connected) flush_to_dyno();
}

// When the dyno takes no more it may still have answered, early or with its reason; so the answer
// is read before anything is made of it.
void ClientConnection::flush_to_dyno() {
  auto& x = *exchange_;
  while (!x.to_dyno.empty() && !x.upload_broken) {
    const auto left = x.to_dyno.left();
    iovec part{const_cast<char*>(left.data()), left.size()};
    const auto outcome = x.connection->transport().write(&part, 1);
    if (outcome.status == Transport::Status::broken) {
      x.upload_broken = x.readable = x.dyno_finished = true;
    }
    if (outcome.status != Transport::Status::moved) break;
    x.to_dyno.take(outcome.bytes, x.replayable);
  }
  if (state_ == State::relaying) request_progress();
}

bool ClientConnection::request_sent() const {
  return exchange_->received && exchange_->to_dyno.empty() && !exchange_->upload_broken;
}

// A client may send its body without having been told to; then it does not wait any more.
bool ClientConnection::dyno_owes_continue() const {
  const auto& x = *exchange_;
  return x.awaits_continue && x.bytes_in == 0 && x.to_dyno.empty() && !x.head_sent;
}

// The 30 s to the first byte run from the whole request being sent, once; before that, and from the
// response's first byte on, every byte starts the 55 s anew. They run as well while the client
// waits for the dyno to say that it may go on.
void ClientConnection::request_progress() {
  auto& x = *exchange_;
  if (!x.sent && request_sent()) {
    x.sent = true;
    if (!x.head_sent) return loop_.waits().first_byte.start(step_);
  }
  if (x.sent && !x.head_sent) return;
  if (dyno_owes_continue()) return loop_.waits().first_byte.start(step_);
  loop_.waits().idle.start(step_);
}

// Each side's end is passed on once everything before it was; the pipe ends with both.
void ClientConnection::pump_pipe() {
  auto& x = *exchange_;
  auto& scratch = loop_.scratch();
  const auto limit = loop_.limits().backpressure;
  bool moved = false;
  bool broken = x.upload_broken;
  bool again = false;

  flush_to_dyno();
  for (int reads = 0; !x.received && readable_ && x.to_dyno.size() <= limit && !broken; ++reads) {
    if (reads == reads_in_a_row) {
      again = true;
      break;
    }
    const auto got = transport_->read(scratch.data(), scratch.size());
    if (got.drained) readable_ = client_closed_ && got.status == Transport::Status::moved;
    broken = got.status == Transport::Status::broken;
    x.received = got.status == Transport::Status::closed;
    if (got.status != Transport::Status::moved) break;
    moved = true;
    x.bytes_in += got.bytes;
    send_to_dyno({scratch.data(), got.bytes});
  }
  for (int reads = 0; !x.complete && x.readable && to_client_.size() <= limit && !broken; ++reads) {
    if (reads == reads_in_a_row) {
      again = true;
      break;
    }
    const auto got = x.connection->transport().read(scratch.data(), scratch.size());
    if (got.drained) x.readable = x.dyno_finished && got.status == Transport::Status::moved;
    broken = got.status == Transport::Status::broken;
    x.complete = got.status == Transport::Status::closed;
    if (got.status != Transport::Status::moved) break;
    moved = true;
    x.bytes += got.bytes;
    send_to_client({scratch.data(), got.bytes}, {});
  }
  broken = broken || x.upload_broken || broken_;
  if (moved) loop_.waits().idle.start(step_);
  if (x.received && x.to_dyno.empty() && !std::exchange(x.sent, true)) {
    x.connection->transport().finish_writing();
  }
  if (x.complete && to_client_.empty() && !std::exchange(x.dyno_keeps, true)) {
    transport_->finish_writing();
  }
  if (broken || (x.sent && x.dyno_keeps)) {
    log(nullptr, {}, x.status);
    return close();
  }
  if (again) loop_.again(*this);
}

}  // namespace renga::router
