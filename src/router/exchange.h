// Exchange: everything about the one request that a client connection has under way, and its
// answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "http/chunked.h"
#include "http/parser.h"
#include "router/dyno_connection.h"
#include "router/forwarding.h"
#include "router/meters.h"
#include "router/pending.h"
#include "router/route_index.h"

namespace renga::router {

struct Exchange {
  // The request
  std::shared_ptr<const App> app;
  bool just_found = false;  // the app, in the table as it is now
  AppLoad* load = nullptr;  // the app's; it is counted there while this is set
  std::unique_ptr<PipeCount> pipe;
  Meter* meter = nullptr;  // the same: its app's, then its dyno's
  std::uint64_t bytes_in = 0;
  std::chrono::steady_clock::time_point began;
  std::string log_request;  // the middle of its log line
  int minor = 1;
  bool is_head = false;
  bool idempotent = false;
  std::string agent;             // of one that is misdirected, for its log line
  bool upgrade = false;          // it asks for another protocol, and the dyno is told
  std::string affinity;          // that its cookie says, then its dyno's; empty: the app has none
  bool new_affinity = false;     // the client is told of it
  bool awaits_continue = false;  // from the dyno: the app wants to answer Expect itself
  bool continued = false;        // it has said 100
  bool keep_alive = true;
  bool expects_continue = false;
  http::Framing framing;
  std::uint64_t body_left = 0;  // of Body::length
  http::ChunkedDecoder chunks;
  bool received = false;  // the whole of it is here
  Pending to_dyno;        // head and body; all of it while `replayable`
  bool replayable = true;
  bool sent = false;           // the whole of it is with the dyno's kernel
  bool upload_broken = false;  // the dyno takes no more; what it says may still be read
  bool bad_chunk = false;

  // Its dyno
  DynoState* dyno = nullptr;  // one of the app's; counted in its under_way while this is set
  std::string dyno_name;
  std::unique_ptr<DynoConnection> connection;
  bool readable = false;       // the dyno's side of what ClientConnection has for the client's
  bool dyno_finished = false;  // its FIN has come
  int attempts = 0;
  bool tried_again = false;
  int looks = 0;  // for a dyno that is not in quarantine
  std::chrono::steady_clock::time_point connecting_since;
  std::chrono::steady_clock::time_point connected_at;
  std::int64_t connect_ms = -1;

  // The answer
  bool answered = false;   // a byte of it has come
  bool head_sent = false;  // the client has been sent its head
  bool complete = false;
  bool dyno_keeps = false;  // its connection can be used again
  int status = 0;
  Relay relay = Relay::none;
  std::uint64_t answer_left = 0;
  http::ChunkedDecoder answer_chunks;
  std::string from_dyno;  // a head that is not complete
  std::unique_ptr<http::ResponseParser> partial;
  std::uint64_t bytes = 0;
  bool logged = false;

  // For the next request; keeps the room that its texts have taken.
  void reset();
};

}  // namespace renga::router
