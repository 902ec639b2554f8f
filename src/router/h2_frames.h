// What Http2Connection keeps of each stream, and nghttp2's callbacks. Private to its two .cpp files
// and Http2Stream's.
#pragma once

#include <nghttp2/nghttp2.h>

#include "router/h2_connection.h"
#include "router/h2_request.h"

namespace renga::router {

struct Http2Connection::Stream {
  std::int32_t id = 0;
  Http2Request request;
  Pending body;  // of the request; bounded by the stream's window
  bool has_body = false;
  bool received = false;      // the whole of it
  bool chunked = false;       // the dyno gets it so
  bool last_chunk = false;    // and has been given the end
  Pending answer;             // the answer's body, not in frames yet
  bool answer_ended = false;  // no more will come
  bool answer_sent = false;   // END_STREAM is with the socket, or on its way
  bool deferred = false;      // nghttp2 waits to hear that there is more
  bool head_is_new = false;
  bool trailing = false;  // fields that come now are a trailer's
  bool closed = false;    // nghttp2 is done with it
  bool touched = false;
  ClientConnection* client = nullptr;
  Http2Stream* transport = nullptr;
};

struct Http2Connection::Frames {
  static nghttp2_session* open(Http2Connection& connection);
  static ssize_t answer_body(nghttp2_session* session, std::int32_t id, std::uint8_t* into,
                             std::size_t room, std::uint32_t* flags, nghttp2_data_source* source,
                             void* user);

 private:
  static Http2Connection& of(void* user) { return *static_cast<Http2Connection*>(user); }
  static Stream* find(void* user, std::int32_t id);
  static int begin_frame(nghttp2_session* session, const nghttp2_frame_hd* head, void* user);
  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                    std::uint8_t flags, void* user);
  static int invalid_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                            std::size_t name_size, const std::uint8_t* value,
                            std::size_t value_size, std::uint8_t flags, void* user);
  static int received(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int data(nghttp2_session*, std::uint8_t flags, std::int32_t id, const std::uint8_t* bytes,
                  std::size_t size, void* user);
  static int sent(nghttp2_session*, const nghttp2_frame* frame, void* user);
  static int stream_closed(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user);
  static ssize_t frame_size(nghttp2_session*, std::uint8_t type, std::int32_t id,
                            std::int32_t session_window, std::int32_t stream_window,
                            std::uint32_t most, void* user);
};

}  // namespace renga::router
