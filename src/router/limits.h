// Limits: every wait and every bound of the router in one place, as section "Router" of the
// architecture page states them. Tests hand in shorter ones.
#pragma once

#include <chrono>
#include <cstddef>

namespace renga::router {

struct Limits {
  using Milliseconds = std::chrono::milliseconds;

  Milliseconds head{30'000};        // from a request head's first byte to its last
  Milliseconds keep_alive{60'000};  // a client connection without a request
  Milliseconds connect{5'000};      // to a dyno
  Milliseconds queue{75'000};       // all of waiting for a dyno and connecting to it: H20
  Milliseconds first_byte{30'000};  // from the whole request sent to the response's head: H12
  Milliseconds idle{55'000};        // without a byte either way: H15, H28
  Milliseconds quarantine{5'000};   // of a dyno that could not be connected to
  Milliseconds dyno_idle{90'000};   // a pooled connection to a dyno
  Milliseconds linger{5'000};       // reading what a refused client still sends
  Milliseconds last_call{500};      // for HTTP/2 requests that were sent before we said we leave
  Milliseconds log_delay{20};       // request log lines are gathered for so long
  Milliseconds retry_wait{100};     // when every dyno is in quarantine; doubled each time

  std::size_t backpressure = 128 * 1024;  // unsent bytes that stop the reading of the other side
  std::size_t replay = 64 * 1024;         // of a request that are kept for a second try
  std::size_t log_backlog = 4 * 1024 * 1024;  // request log not yet taken by control, then drops
  std::size_t unfinished_heads = 64 * 1024 * 1024;  // HTTP/1, in all; the oldest gives way
  std::size_t connections = 64 * 1024;  // clients per thread; beyond, idle ones are closed
  std::size_t meters = 10'000;          // apps' dynos counted apart, per thread
  std::size_t pooled = 256;             // idle connections to one dyno per thread
  int requests_per_dyno = 200;          // under way or held, app-wide: H11
  int pipes_per_app = 32 * 1024;        // upgraded connections, app-wide: H22
  int attempts = 10;                    // dynos tried for one request
};

}  // namespace renga::router
