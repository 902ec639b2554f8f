// Which dyno gets a request. A request is refused at once when nothing could serve it (H10, H14,
// H80, H81) or too many are under way (H11); it is held while the app boots; it goes to a random
// dyno that is up, over an idle connection or a new one. A dyno that cannot be connected to is left
// alone for a while by everybody, and another is tried, at most ten or as many as there are (H19,
// H21). When all are left alone the request looks again, ever less often. All of it may take 75 s
// (H20, H34).
#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/report.h"
#include "router/affinity.h"
#include "router/client_connection.h"
#include "router/error_pages.h"
#include "router/h2_stream.h"
#include "router/log_line.h"
#include "router/proxy_loop.h"

namespace renga::router {

namespace {

using namespace std::string_view_literals;

constexpr std::chrono::milliseconds longest_look{2'000};

// RFC 9110 9.2.2: asking twice has the effect of asking once.
bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS" || method == "TRACE";
}

// An idle connection on which the dyno's FIN or stray bytes have come since the loop last looked.
bool has_gone_stale(int socket) {
  char byte = 0;
  return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

std::string https_location(const http::RequestHead& head, std::string_view port) {
  std::string location = "https://";
  location.append(http::without_port(head.host));
  if (port != "443") location.append(":").append(port);
  location.append(head.target == "*" ? "/" : head.target);
  return location;
}

}  // namespace

// Finds the app and what its log line and the dyno are told of the request.
void ClientConnection::identify(const http::RequestHead& head) {
  auto& x = *exchange_;
  x.began = loop_.events().now();
  const auto* id = http::find_field(head, http::Known::x_request_id);
  const auto request_id =
      id != nullptr && acceptable_request_id(id->value) ? id->value : loop_.new_request_id();

  const auto* app = loop_.table().find(head.host);
  if (app != nullptr) {
    x.app = *app;
    x.just_found = true;
    start_counting();
    move_to_meter(&loop_.meters().of(*x.app));
    if (x.app->route.session_affinity) x.affinity = affinity_in(head);
    x.awaits_continue = x.app->route.end_to_end_continue && head.minor > 0 &&
                        head.expect == http::Expect::continue_100;
    write_log_request(x.log_request, head, request_id, ip_);
  }
  if (app == nullptr) ++loop_.meters().unrouted;
  if (head.method.empty() || head.target.empty()) return;
  write_request_head(x.to_dyno.text(), head,
                     {.client_ip = ip_,
                      .port = entrance_.port,
                      .proto = entrance_.tls ? "https"sv : "http"sv,
                      .via = is_stream()       ? "2.0"sv
                             : head.minor == 0 ? "1.0"sv
                                               : "1.1"sv,
                      .request_id = request_id,
                      .start = loop_.micros() / 1000,
                      .one_request = x.app && x.app->route.disable_keepalive,
                      .expect_continue = x.awaits_continue});
}

void ClientConnection::begin(const http::RequestHead& head, char* rest, std::size_t size) {
  auto& x = *exchange_;
  x.minor = head.minor;
  x.is_head = head.method == "HEAD";
  x.idempotent = is_idempotent(head.method);
  x.upgrade = passes_upgrade(head);
  x.keep_alive = head.keep_alive;
  x.framing = head.framing;
  x.body_left = head.framing.length;
  x.received = head.framing.body == http::Body::none;
  const bool misdirected = !transport_->good_for(http::without_port(head.host));
  if (misdirected && is_stream()) {
    const auto* agent = http::find_field(head.fields, "user-agent");
    x.agent = agent == nullptr ? "-" : agent->value;
  }
  const bool no_host = !head.notes.known.has(http::Known::host);
  const auto expect = head.expect;
  identify(head);

  const auto* challenge = loop_.table().challenge(head.target);
  std::string location;
  if (x.app && x.app->route.redirect_to_https && !entrance_.tls && !entrance_.https_port.empty()) {
    location = https_location(head, entrance_.https_port);
  }

  // `head` may lie in the buffer that this changes: nothing of it is used behind here.
  const auto used = take_body(rest, size);
  x.expects_continue =
      expect == http::Expect::continue_100 && !x.received && used == 0 && !x.awaits_continue;
  keep_input({rest + used, size - used});

  if (challenge != nullptr) return answer(200, "text/plain", *challenge);
  if (no_host) {
    x.keep_alive = false;
    log(&h::bad_header, "bad header", 400);
    return answer_page(400, refusal_page(400, "The Host header is missing."));
  }
  if (!x.app) return answer_page(404, no_such_app_page());
  // RFC 9110 15.5.20: a browser asks on an HTTP/2 connection for whatever its certificate covers,
  // and with 421 asks again on another one.
  if (misdirected) return fail_request(is_stream() ? h::misdirected : h::other_certificate);
  if (expect == http::Expect::unknown) {
    return fail_request(h::unknown_expectation, "unsupported expect header value");
  }
  if (x.bad_chunk) return fail_request(h::bad_chunk, "bad chunk");
  // RFC 9110 15.4.9: with 308 a POST stays one; GET's is older, and understood everywhere.
  if (!location.empty()) return answer(x.idempotent ? 301 : 308, "text/plain", {}, location);

  const auto dynos =
      std::max<int>({1, static_cast<int>(x.app->dynos.size()), x.app->route.web_quantity});
  if (x.load->requests.load() > loop_.limits().requests_per_dyno * dynos) {
    return fail_request(h::backlog_too_deep);
  }
  if (x.upgrade && x.load->pipes.load() >= loop_.limits().pipes_per_app) {
    return fail_request(h::connection_limit);
  }
  admit();
}

// Also called again whenever the answer may have changed.
void ClientConnection::admit() {
  auto& x = *exchange_;
  loop_.events().cancel(std::exchange(look_, 0));
  step_.cancel();

  if (!std::exchange(x.just_found, false)) {
    const auto* now = loop_.table().find_app(x.app->route.app);
    if (now == nullptr) return answer_page(404, no_such_app_page());
    // Another one, if the app has been away meanwhile.
    const bool counted_elsewhere = (*now)->load.get() != x.load;
    if (counted_elsewhere) stop_counting();
    x.app = *now;
    if (counted_elsewhere) start_counting();
  }

  const auto& route = x.app->route;
  if (route.idle && !route.maintenance) loop_.wake(*x.app);
  if (route.maintenance) return fail_request(h::maintenance);
  if (!route.deployed) return fail_request(h::blank_app);
  if (route.web_quantity <= 0) return fail_request(h::no_web_processes);
  if (x.app->dynos.empty()) {
    if (route.crashed && !route.starting) return fail_request(h::app_crashed);
    return hold({});
  }
  if (const auto* dyno = choose()) {
    return connect_to(*dyno, !x.tried_again && !route.disable_keepalive);
  }
  hold(std::min(loop_.limits().retry_wait * (1 << std::min(x.looks++, 10)), longest_look));
}

const Dyno* ClientConnection::choose() const {
  const auto& dynos = exchange_->app->dynos;
  const auto now = loop_.events().now();
  if (!exchange_->affinity.empty()) {
    for (const auto& dyno : dynos) {
      if (dyno.affinity == exchange_->affinity && !dyno.state->quarantined(now)) return &dyno;
    }
  }
  const auto& any = dynos[loop_.random_below(dynos.size())];
  if (!any.state->quarantined(now)) return &any;

  const auto up = [&](const Dyno& dyno) { return !dyno.state->quarantined(now); };
  const auto count = std::count_if(dynos.begin(), dynos.end(), up);
  if (count == 0) return nullptr;
  auto left = loop_.random_below(static_cast<std::uint64_t>(count));
  return &*std::find_if(dynos.begin(), dynos.end(),
                        [&](const Dyno& dyno) { return up(dyno) && left-- == 0; });
}

// A table that changes it is noticed by itself; a quarantine that ends is not.
void ClientConnection::hold(std::chrono::milliseconds look_again) {
  if (state_ != State::queued) loop_.hold(*this);
  state_ = State::queued;
  if (!queue_.waits()) loop_.waits().queue.start(queue_);
  if (look_again.count() == 0) return;
  look_ = loop_.events().after(look_again, [this] {
    look_ = 0;
    guarded([this] { admit(); });
  });
}

void ClientConnection::queue_timed_out() {
  if (state_ == State::connecting) return fail_request(h::connection_timeout);
  if (state_ != State::queued) return;
  fail_request(exchange_->app->dynos.empty() ? h::boot_timeout : h::all_quarantined);
}

void ClientConnection::connect_to(const Dyno& dyno, bool pooled) {
  auto& x = *exchange_;
  loop_.hold_no_longer(*this);
  x.dyno = dyno.state.get();
  x.dyno->under_way.fetch_add(1);
  x.dyno_name = dyno.name;
  move_to_meter(&loop_.meters().of(*x.app, dyno));
  if (dyno.affinity != x.affinity) {
    x.affinity = dyno.affinity;
    x.new_affinity = !x.affinity.empty();
  }
  x.readable = x.dyno_finished = x.upload_broken = false;
  while (pooled) {
    x.connection = loop_.pools().take(*dyno.state);
    if (!x.connection) break;
    x.connection->user = this;
    if (x.idempotent || !has_gone_stale(x.connection->transport().fd())) {
      x.connect_ms = 0;
      return connected();
    }
    x.connection->user = nullptr;
    loop_.bury(std::move(x.connection));
  }

  x.connecting_since = loop_.events().now();
  try {
    x.connection = std::make_unique<DynoConnection>(loop_.events(), loop_.pools(), dyno);
  } catch (const std::system_error& wrong) {
    report("router", fmt::format("no connection to {} of {}: {}", dyno.name, x.app->route.name,
                                 wrong.what()));
    return fail_request(h::platform_error);
  }
  x.connection->user = this;
  state_ = State::connecting;
  if (x.connection->failed_at_once()) return connect_failed(h::connection_refused);
  if (!queue_.waits()) loop_.waits().queue.start(queue_);
  loop_.waits().connect.start(step_);
}

void ClientConnection::connect_failed(const HCode& code) {
  auto& x = *exchange_;
  const auto until = loop_.events().now() + loop_.limits().quarantine;
  x.dyno->quarantined_until.store(until.time_since_epoch().count());
  x.connect_ms = -1;
  let_go(false);
  const auto most =
      std::min<std::size_t>(static_cast<std::size_t>(loop_.limits().attempts), x.app->dynos.size());
  if (static_cast<std::size_t>(++x.attempts) >= most) {
    x.connect_ms = std::chrono::duration_cast<std::chrono::milliseconds>(loop_.events().now() -
                                                                         x.connecting_since)
                       .count();
    return fail_request(code);
  }
  admit();
}

void ClientConnection::connected() {
  auto& x = *exchange_;
  queue_.cancel();
  step_.cancel();
  state_ = State::relaying;
  x.connected_at = loop_.events().now();
  empty_outbox();
  loop_.outbox().put_request(*this);
  if (std::exchange(x.expects_continue, false)) send_continue();
  again_ = true;
}

// Ends this request's use of its dyno, and of the connection unless that can serve another.
void ClientConnection::let_go(bool reusable) {
  if (!exchange_) return;
  auto& x = *exchange_;
  if (x.connection) {
    x.connection->user = nullptr;
    if (reusable && !x.connection->state()->leaving.load() && !loop_.draining()) {
      loop_.pools().put(std::move(x.connection));
    } else {
      loop_.bury(std::move(x.connection));
    }
  }
  if (auto* dyno = std::exchange(x.dyno, nullptr)) loop_.dyno_released(*dyno);
}

void ClientConnection::move_to_meter(Meter* meter) {
  if (!exchange_) return;
  auto& x = *exchange_;
  if (x.meter != nullptr) x.meter->end();
  x.meter = meter;
  if (x.meter != nullptr) x.meter->begin();
}

void ClientConnection::start_counting() {
  exchange_->load = exchange_->app->load.get();
  exchange_->load->requests.fetch_add(1);
}

void ClientConnection::stop_counting() {
  if (!exchange_) return;
  if (auto* load = std::exchange(exchange_->load, nullptr)) load->requests.fetch_sub(1);
}

}  // namespace renga::router
