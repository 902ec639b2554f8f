#include "logs/drain_flow.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <new>

#include "base/random.h"

namespace renga::logs {
namespace {

constexpr std::chrono::hours complain_every{1};
constexpr long most_answer_bytes = 1 << 20;
// The moments at which drains may wake up, so that many do so together: this many while lines are
// gathered.
constexpr int ticks = 8;

std::size_t ignore_answer(char*, std::size_t, std::size_t size, void* left) {
  auto& bytes = *static_cast<long*>(left);
  bytes -= static_cast<long>(size);
  return bytes < 0 ? 0 : size;  // who answers without an end is hung up on
}

}  // namespace

DrainFlow::DrainFlow(LogStore& store, Clock& clock, const DrainCourierOptions& options,
                     const DrainPace& pace, CURLM* multi, DrainTarget target,
                     std::function<void()> arrived)
    : store_(store),
      clock_(clock),
      options_(options),
      pace_(pace),
      multi_(multi),
      target_(std::move(target)),
      curl_(curl_easy_init()),
      backlog_(store, {target_.app, target_.url.kind, target_.token}, target_.place, options.limits,
               std::move(arrived)) {
  if (curl_ == nullptr) throw std::bad_alloc();
  prepare();
}

DrainFlow::~DrainFlow() {
  disconnect();
  curl_easy_cleanup(curl_);
  curl_slist_free_all(headers_);
}

// Every connection, whatever the name resolved to this time, passes here.
curl_socket_t DrainFlow::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& flow = *static_cast<DrainFlow*>(self);
  auto refusal = flow.options_.destinations.refusal(&address->addr);
  if (!refusal.empty()) {
    flow.refused_address_ = std::move(refusal);
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// What is the same for every frame.
void DrainFlow::prepare() {
  const auto set = [this](CURLoption option, auto value) {
    curl_easy_setopt(curl_, option, value);
  };
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_URL, target_.url.to_connect().c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PROXY, "");  // a proxy would be asked for what is refused here
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_limit.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.answer_limit.count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
  if (target_.url.kind == DrainKind::http) {
    set(CURLOPT_USERAGENT, "Logplex/v72");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_WRITEFUNCTION, &ignore_answer);
    set(CURLOPT_WRITEDATA, &answer_left_);
  } else {
    set(CURLOPT_CONNECT_ONLY, 1L);
    set(CURLOPT_SSL_ENABLE_ALPN, 0L);
    set(CURLOPT_FRESH_CONNECT, 1L);
  }
}

void DrainFlow::start(SteadyTime now) {
  error_[0] = 0;
  refused_address_.clear();
  in_multi_ = curl_multi_add_handle(multi_, curl_) == CURLM_OK;
  if (!in_multi_) failed(now);
}

void DrainFlow::rest_until(SteadyTime time) {
  phase_ = Phase::resting;
  const auto tick = std::max(Duration(pace_.gather()) / ticks, Duration(1));
  const auto since = time.time_since_epoch();
  deadline_ = SteadyTime((since + tick - Duration(1)) / tick * tick);
}

void DrainFlow::rest(std::chrono::milliseconds pause, SteadyTime now) { rest_until(now + pause); }

void DrainFlow::arrived(SteadyTime now) {
  if (phase_ != Phase::idle) return;
  rest_until(std::max(now, last_frame_ + pace_.gather()));
}

void DrainFlow::due(SteadyTime now) {
  deadline_.reset();
  switch (phase_) {
    case Phase::idle:  // syslog that was quiet for long
      return disconnect();
    case Phase::resting:
      return begin(now);
    case Phase::sending:
      return failed(now);
    case Phase::connecting:
    case Phase::asking:  // libcurl has its own limits
      return;
  }
}

void DrainFlow::begin(SteadyTime now) {
  if (!frame_) frame_ = backlog_.next(clock_.now());
  if (!frame_) {
    phase_ = Phase::idle;
    if (socket_ >= 0) deadline_ = now + options_.idle;
    return;
  }
  last_frame_ = now;
  if (target_.url.kind == DrainKind::http) return ask(now);
  if (socket_ >= 0 && peer_closed()) disconnect();
  if (socket_ < 0) return connect(now);
  sent_ = 0;
  send(now);
}

void DrainFlow::ask(SteadyTime now) {
  curl_slist_free_all(headers_);
  headers_ = nullptr;
  for (const auto& line :
       {std::string("Content-Type: application/logplex-1"),
        fmt::format("Logplex-Msg-Count: {}", frame_->messages), "Logplex-Frame-Id: " + frame_->id,
        "Logplex-Drain-Token: " + target_.token, std::string("Expect:")})
    headers_ = curl_slist_append(headers_, line.c_str());
  const auto set = [this](CURLoption option, auto value) {
    curl_easy_setopt(curl_, option, value);
  };
  answer_left_ = most_answer_bytes;
  set(CURLOPT_HTTPHEADER, headers_);
  set(CURLOPT_POSTFIELDS, frame_->body.data());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(frame_->body.size()));
  phase_ = Phase::asking;
  start(now);
}

void DrainFlow::connect(SteadyTime now) {
  phase_ = Phase::connecting;
  start(now);
}

void DrainFlow::finished(CURLcode code, SteadyTime now) {
  if (phase_ == Phase::asking) {
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi_, curl_);
    in_multi_ = false;
    // One that answered and then went on for too long did answer.
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && status >= 200))
      return answered(status, now);
  } else if (phase_ == Phase::connecting && code == CURLE_OK &&
             curl_easy_getinfo(curl_, CURLINFO_ACTIVESOCKET, &socket_) == CURLE_OK &&
             socket_ >= 0) {
    sent_ = 0;
    return send(now);
  }
  if (!refused_address_.empty()) {
    complain(fmt::format("Drain {} gets no lines: {}, and this server's drains reach the public "
                         "internet only.",
                         shown(target_.url.text), refused_address_),
             now);
  } else if (code == CURLE_PEER_FAILED_VERIFICATION) {
    complain(fmt::format("Error L14 (certificate validation): error=\"{}\" uri=\"{}\"",
                         error_[0] != 0 ? error_ : "bad certificate", shown(target_.url.text)),
             now);
  }
  failed(now);
}

void DrainFlow::answered(long status, SteadyTime now) {
  if (status >= 200 && status < 300) return delivered(now);
  // It will not like this frame any better the next time.
  if (status >= 400 && status < 500 && status != 429) return give_up(now);
  if (++frame_->tries >= options_.most_answers) return give_up(now);
  failed(now);
}

void DrainFlow::delivered(SteadyTime now) {
  backlog_.taken(*frame_);
  const bool full = frame_->body.size() >= options_.limits.frame_bytes;
  frame_.reset();
  failures_ = 0;
  rest(pace_.gather(), now);
  // There is more already; other drains have their turn first.
  if (full) deadline_ = now + std::chrono::milliseconds(1);
}

void DrainFlow::give_up(SteadyTime now) {
  backlog_.refused(*frame_, clock_.now());
  frame_.reset();
  rest(pace_.gather(), now);
}

void DrainFlow::failed(SteadyTime now) {
  disconnect();
  const auto doubled = options_.first_retry * (1LL << std::min(failures_++, 16));
  const auto longest = std::min<std::chrono::milliseconds>(doubled, options_.longest_retry);
  // Not all at once when many drains share a server that comes back.
  const auto pause =
      longest / 2 +
      std::chrono::milliseconds(random_below(static_cast<std::uint64_t>(longest.count() / 2 + 1)));
  rest(pause, now);
}

void DrainFlow::stumbled(SteadyTime now) {
  disconnect();
  rest(options_.longest_retry, now);
}

// Into the app's own log, which is where the owner of a drain looks; not again for a while.
void DrainFlow::complain(std::string_view message, SteadyTime now) {
  if (complained_ && now - *complained_ < complain_every) return;
  complained_ = now;
  store_.append(target_.app, {clock_.now(), "heroku", "logplex", std::string(message)});
}

// Whatever a syslog server says is read and forgotten.
bool DrainFlow::peer_closed() {
  char bytes[4096];
  for (int turn = 0; turn < 16; ++turn) {
    std::size_t got = 0;
    const auto code = curl_easy_recv(curl_, bytes, sizeof bytes, &got);
    if (code == CURLE_AGAIN) return false;
    if (code != CURLE_OK || got == 0) return true;
  }
  return false;
}

void DrainFlow::send(SteadyTime now) {
  phase_ = Phase::sending;
  last_progress_ = now;
  writable(now);
}

void DrainFlow::writable(SteadyTime now) {
  blocked_ = false;
  while (sent_ < frame_->body.size()) {
    std::size_t written = 0;
    const auto code =
        curl_easy_send(curl_, frame_->body.data() + sent_, frame_->body.size() - sent_, &written);
    if (code == CURLE_AGAIN) {
      blocked_ = true;
      deadline_ = last_progress_ + options_.answer_limit;
      return;
    }
    if (code != CURLE_OK) return failed(now);
    sent_ += written;
    last_progress_ = now;
  }
  delivered(now);
}

void DrainFlow::disconnect() {
  if (in_multi_) curl_multi_remove_handle(multi_, curl_);
  in_multi_ = false;
  socket_ = -1;
  sent_ = 0;
  blocked_ = false;
  if (phase_ != Phase::resting) phase_ = Phase::idle;
}

}  // namespace renga::logs
