#include "router/h2_frames.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "router/client_connection.h"
#include "router/h2_stream.h"
#include "router/proxy_loop.h"

namespace renga::router {

namespace {

constexpr std::uint32_t most_streams = 100;
constexpr std::uint32_t stream_window = 256 * 1024;  // what one request may send before it is read
constexpr std::int32_t connection_window = 1024 * 1024;
// RST_STREAM: so many at once, then so many a second (CVE-2023-44487). A browser that is left
// resets some dozens.
constexpr std::uint64_t resets_at_once = 500;
constexpr std::uint64_t resets_a_second = 100;
constexpr std::size_t most_continuations = 8;
// As large a head as a dyno may answer with, and what nghttp2 reckons for the coding of it: a
// larger one it would not send, nor say so, and the client would wait for an answer.
const std::size_t largest_answer_head = 2 * http::Limits::of_response().head;
// With its own head a frame then fills one TLS record.
constexpr std::size_t data_in_a_frame = 16 * 1024 - 9;

struct Free {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

void must(int result, const char* what) {
  if (result == 0) return;
  throw std::runtime_error(std::string("nghttp2 could not ") + what + ": " +
                           nghttp2_strerror(result));
}

// As opposed to a dyno's or to our own.
bool is_clients_fault(std::uint32_t code) {
  return code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR &&
         code != NGHTTP2_REFUSED_STREAM;
}

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

nghttp2_session* Http2Connection::Frames::open(Http2Connection& connection) {
  nghttp2_session_callbacks* raw = nullptr;
  must(nghttp2_session_callbacks_new(&raw), "start");
  const std::unique_ptr<nghttp2_session_callbacks, Free> callbacks(raw);
  nghttp2_session_callbacks_set_on_begin_frame_callback(raw, begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(raw, begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(raw, header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(raw, invalid_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(raw, received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(raw, data);
  nghttp2_session_callbacks_set_on_frame_send_callback(raw, sent);
  nghttp2_session_callbacks_set_on_stream_close_callback(raw, stream_closed);
  nghttp2_session_callbacks_set_data_source_read_length_callback(raw, frame_size);

  nghttp2_option* raw_option = nullptr;
  must(nghttp2_option_new(&raw_option), "start");
  const std::unique_ptr<nghttp2_option, Free> option(raw_option);
  // A request's body is acknowledged as the dyno takes it, not as it comes.
  nghttp2_option_set_no_auto_window_update(raw_option, 1);
  nghttp2_option_set_stream_reset_rate_limit(raw_option, resets_at_once, resets_a_second);
  nghttp2_option_set_max_continuations(raw_option, most_continuations);
  nghttp2_option_set_max_send_header_block_length(raw_option, largest_answer_head);

  nghttp2_session* session = nullptr;
  must(nghttp2_session_server_new2(&session, raw, &connection, raw_option), "start");
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, most_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, http2_header_list},
  };
  must(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, std::size(settings)),
       "say its settings");
  must(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, connection_window),
       "open its window");
  return session;
}

Http2Connection::Stream* Http2Connection::Frames::find(void* user, std::int32_t id) {
  auto& streams = of(user).streams_;
  const auto found = streams.find(id);
  return found == streams.end() ? nullptr : found->second.get();
}

// RFC 9113 5.1.1: the next stream's number is higher than the last one's. nghttp2 remembers the
// last hundred that were closed, and passes over the others.
int Http2Connection::Frames::begin_frame(nghttp2_session* session, const nghttp2_frame_hd* head,
                                         void*) {
  if (head->type == NGHTTP2_HEADERS && head->stream_id % 2 == 1 &&
      head->stream_id <= nghttp2_session_get_last_proc_stream_id(session) &&
      nghttp2_session_find_stream(session, head->stream_id) == nullptr) {
    nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
  }
  return 0;
}

int Http2Connection::Frames::begin_headers(nghttp2_session*, const nghttp2_frame* frame,
                                           void* user) {
  auto& connection = of(user);
  const auto id = frame->hd.stream_id;
  if (auto* known = find(user, id)) {
    known->trailing = true;
    return 0;
  }
  auto stream = std::make_unique<Stream>();
  stream->id = id;
  connection.streams_.emplace(id, std::move(stream));
  return 0;
}

int Http2Connection::Frames::header(nghttp2_session*, const nghttp2_frame* frame,
                                    const std::uint8_t* name, std::size_t name_size,
                                    const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                                    void* user) {
  auto* stream = find(user, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  if (stream->trailing) {
    const bool fine =
        Http2Request::acceptable_trailer(text(name, name_size), text(value, value_size));
    return fine ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }
  stream->request.add(text(name, name_size), text(value, value_size));
  return 0;
}

// nghttp2 would pass over it; but what a client sends that it must not is refused here.
int Http2Connection::Frames::invalid_header(nghttp2_session* session, const nghttp2_frame* frame,
                                            const std::uint8_t*, std::size_t, const std::uint8_t*,
                                            std::size_t, std::uint8_t, void*) {
  nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                            NGHTTP2_PROTOCOL_ERROR);
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int Http2Connection::Frames::received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  auto* stream = find(user, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream->received = true;
  if (frame->hd.type == NGHTTP2_HEADERS && !stream->trailing) {
    stream->head_is_new = true;
    stream->has_body = !stream->received;
  }
  of(user).touch(*stream);
  return 0;
}

int Http2Connection::Frames::data(nghttp2_session* session, std::uint8_t, std::int32_t id,
                                  const std::uint8_t* bytes, std::size_t size, void* user) {
  auto* stream = find(user, id);
  if (stream == nullptr || (stream->client == nullptr && !stream->head_is_new)) {
    // Nobody reads it any more; the others need the connection's window.
    nghttp2_session_consume(session, id, size);
    return 0;
  }
  stream->body.append(text(bytes, size));
  of(user).touch(*stream);
  return 0;
}

int Http2Connection::Frames::sent(nghttp2_session* session, const nghttp2_frame* frame,
                                  void* user) {
  if (frame->hd.type == NGHTTP2_RST_STREAM && is_clients_fault(frame->rst_stream.error_code)) {
    of(user).was_wrong();
  }
  const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (!ends || (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)) return 0;
  auto* stream = find(user, frame->hd.stream_id);
  if (stream == nullptr) return 0;
  stream->answer_sent = true;
  // RFC 9113 8.1: answered before the request was whole, and nobody wants the rest.
  if (!stream->received) {
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_NO_ERROR);
  }
  of(user).touch(*stream);
  return 0;
}

int Http2Connection::Frames::stream_closed(nghttp2_session* session, std::int32_t id, std::uint32_t,
                                           void* user) {
  auto* stream = find(user, id);
  if (stream == nullptr) return 0;
  if (!stream->body.empty()) nghttp2_session_consume_connection(session, stream->body.size());
  stream->body.clear();
  stream->closed = true;
  of(user).touch(*stream);
  return 0;
}

ssize_t Http2Connection::Frames::frame_size(nghttp2_session*, std::uint8_t, std::int32_t,
                                            std::int32_t session_window,
                                            std::int32_t stream_window_left, std::uint32_t most,
                                            void*) {
  return std::min<ssize_t>(
      {static_cast<ssize_t>(data_in_a_frame), session_window, stream_window_left, most});
}

ssize_t Http2Connection::Frames::answer_body(nghttp2_session*, std::int32_t, std::uint8_t* into,
                                             std::size_t room, std::uint32_t* flags,
                                             nghttp2_data_source* source, void* user) {
  auto& stream = *static_cast<Stream*>(source->ptr);
  const auto left = stream.answer.left();
  const auto size = std::min(left.size(), room);
  if (size == 0 && !stream.answer_ended) {
    stream.deferred = true;
    return NGHTTP2_ERR_DEFERRED;
  }
  std::memcpy(into, left.data(), size);
  stream.answer.take(size);
  if (stream.answer.empty() && stream.answer_ended) *flags |= NGHTTP2_DATA_FLAG_EOF;
  of(user).touch(stream);  // there is room for more
  return static_cast<ssize_t>(size);
}

}  // namespace renga::router
