// Streams: the output of builds and release commands, and opened log sessions. Their addresses are
// secret and need no token.
#include "api/handlers.h"

namespace renga::api {
namespace {
Answer as_it_is(http::Response response) {
  Answer answer;
  answer.whole = std::move(response);
  return answer;
}
}  // namespace

Result<Answer> output_stream_open(Call& call) {
  return as_it_is(call.services.outputs.open(call.request, call.param("stream")));
}

Result<Answer> log_session_open(Call& call) {
  return as_it_is(call.services.log_sessions.open(call.request, call.param("session")));
}

}  // namespace renga::api
