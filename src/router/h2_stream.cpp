#include "router/h2_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "router/h2_frames.h"
#include "router/proxy_loop.h"

namespace renga::router {

namespace {

constexpr std::size_t most_unsent = 64 * 1024;  // of an answer's body, not in frames yet
constexpr std::size_t chunk_framing = 16;       // size line, and the end of the line behind

nghttp2_nv field(std::string_view name, std::string_view value) {
  // nghttp2 copies both before it returns.
  return {reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
          value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

Transport::Outcome Http2Stream::read(char* into, std::size_t room) {
  if (stream_ == nullptr) return {Status::broken, 0, true};
  auto& stream = *stream_;
  const auto left = stream.body.left();
  if (left.empty()) {
    if (stream.received && stream.chunked && !std::exchange(stream.last_chunk, true)) {
      constexpr std::string_view end = "0\r\n\r\n";
      std::memcpy(into, end.data(), end.size());
      return {Status::moved, end.size(), true};
    }
    return {Status::blocked, 0, true};
  }
  const auto size = std::min(left.size(), room - (stream.chunked ? chunk_framing : 0));
  auto* at = into;
  if (stream.chunked) at = fmt::format_to(at, "{:x}\r\n", size);
  std::memcpy(at, left.data(), size);
  at += size;
  if (stream.chunked) at = std::copy_n("\r\n", 2, at);
  stream.body.take(size);
  nghttp2_session_consume(connection_->session_, stream.id, size);
  connection_->loop_.flush_later(*connection_);
  const bool more = !stream.body.empty() || (stream.received && stream.chunked);
  return {Status::moved, static_cast<std::size_t>(at - into), !more};
}

Transport::Outcome Http2Stream::write(iovec* parts, std::size_t count) {
  if (stream_ == nullptr) return {Status::broken, 0, false};
  auto& answer = stream_->answer;
  std::size_t moved = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto room = most_unsent - std::min(most_unsent, answer.size());
    const auto size = std::min(room, parts[i].iov_len);
    answer.append({static_cast<const char*>(parts[i].iov_base), size});
    moved += size;
    if (size < parts[i].iov_len) break;
  }
  if (moved == 0) return {Status::blocked, 0, false};
  if (std::exchange(stream_->deferred, false)) {
    nghttp2_session_resume_data(connection_->session_, stream_->id);
  }
  connection_->loop_.flush_later(*connection_);
  return {Status::moved, moved, false};
}

void Http2Stream::end_message() {
  if (stream_ == nullptr || std::exchange(stream_->answer_ended, true)) return;
  if (std::exchange(stream_->deferred, false)) {
    nghttp2_session_resume_data(connection_->session_, stream_->id);
  }
  connection_->loop_.flush_later(*connection_);
}

bool Http2Stream::flushed() const { return stream_ == nullptr || stream_->answer_sent; }

std::string_view Http2Stream::tls_version() const {
  return connection_ == nullptr ? "unknown" : connection_->tls_version();
}

void Http2Stream::close() {
  if (stream_ == nullptr) return;
  auto& connection = *connection_;
  const auto id = stream_->id;
  if (!stream_->answer_sent) {
    nghttp2_submit_rst_stream(connection.session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
    connection.loop_.flush_later(connection);
  }
  if (const auto unread = stream_->body.size(); unread > 0) {
    nghttp2_session_consume(connection.session_, id, unread);
    stream_->body.clear();
    connection.loop_.flush_later(connection);
  }
  detach();
  connection.forget(id);
}

void Http2Stream::send_continue() {
  if (stream_ == nullptr) return;
  const nghttp2_nv fields[] = {field(":status", "100")};
  nghttp2_submit_headers(connection_->session_, NGHTTP2_FLAG_NONE, stream_->id, nullptr, fields, 1,
                         nullptr);
  connection_->loop_.flush_later(*connection_);
}

void Http2Stream::send_head(const http::ResponseHead& head, const Return& back, Follows follows) {
  if (stream_ == nullptr) return;
  auto& names = connection_->loop_.names_scratch();
  std::vector<http::Field> fields;
  fields.reserve(head.fields.size() + 4);
  list_response_fields(fields, names, head, back);
  const fmt::format_int status(head.status);
  std::vector<nghttp2_nv> block;
  block.reserve(fields.size() + 1);
  block.push_back(field(":status", {status.data(), status.size()}));
  for (const auto& one : fields) block.push_back(field(one.name, one.value));

  nghttp2_data_provider provider{};
  provider.source.ptr = stream_;
  provider.read_callback = Http2Connection::Frames::answer_body;
  if (follows == Follows::nothing) stream_->answer_ended = true;
  nghttp2_submit_response(connection_->session_, stream_->id, block.data(), block.size(),
                          follows == Follows::body ? &provider : nullptr);
  connection_->loop_.flush_later(*connection_);
}

}  // namespace renga::router
