// DrainFlow: one drain's delivery: its backlog, its connection (libcurl's, for HTTP and for
// syslog's TCP and TLS alike) and the frame under way. A state machine on the courier's thread,
// which calls it when its time has come, when libcurl is done with its handle, and when its socket
// may be written. Private to this room.
//
//   idle -> resting: lines arrived; they are gathered for a moment
//   resting -> connecting -> sending (syslog), resting -> asking (HTTP)
//   any of these -> resting after a failure, for longer each time
#pragma once

#include <curl/curl.h>

#include <optional>
#include <string>

#include "logs/drain_courier.h"
#include "logs/drain_pace.h"

namespace renga::logs {

class DrainFlow {
 public:
  enum class Phase { idle, resting, connecting, asking, sending };

  DrainFlow(LogStore& store, Clock& clock, const DrainCourierOptions& options,
            const DrainPace& pace, CURLM* multi, DrainTarget target, std::function<void()> arrived);
  ~DrainFlow();
  DrainFlow(const DrainFlow&) = delete;
  DrainFlow& operator=(const DrainFlow&) = delete;

  void arrived(SteadyTime now);                  // its backlog may have lines
  void due(SteadyTime now);                      // deadline() has come
  void finished(CURLcode code, SteadyTime now);  // libcurl ended what it was asked for
  void writable(SteadyTime now);                 // the socket of writing()
  void stumbled(SteadyTime now);                 // one of these threw: it tries again later

  std::optional<SteadyTime> deadline() const { return deadline_; }
  // The syslog socket that is full, while it is; -1 otherwise.
  int writing() const { return phase_ == Phase::sending && blocked_ ? socket_ : -1; }
  std::uint64_t place() const { return backlog_.place(); }
  bool busy() const { return phase_ != Phase::idle; }

 private:
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  void prepare();
  void start(SteadyTime now);
  void begin(SteadyTime now);
  void ask(SteadyTime now);
  void connect(SteadyTime now);
  void send(SteadyTime now);
  bool peer_closed();
  void answered(long status, SteadyTime now);
  void delivered(SteadyTime now);
  void give_up(SteadyTime now);
  void failed(SteadyTime now);
  void complain(std::string_view message, SteadyTime now);
  void disconnect();
  void rest(std::chrono::milliseconds pause, SteadyTime now);
  void rest_until(SteadyTime time);

  LogStore& store_;
  Clock& clock_;
  const DrainCourierOptions& options_;
  const DrainPace& pace_;
  CURLM* const multi_;
  const DrainTarget target_;
  CURL* const curl_;
  curl_slist* headers_ = nullptr;
  bool in_multi_ = false;
  Phase phase_ = Phase::idle;
  std::optional<SteadyTime> deadline_;
  std::optional<DrainFrame> frame_;
  int failures_ = 0;
  std::string refused_address_;
  std::optional<SteadyTime> complained_;
  char error_[CURL_ERROR_SIZE] = {};
  long answer_left_ = 0;  // bytes of an answer that are still put up with
  // Syslog's connection.
  curl_socket_t socket_ = -1;
  std::size_t sent_ = 0;
  bool blocked_ = false;
  SteadyTime last_progress_ = {};
  SteadyTime last_frame_ = {};
  DrainBacklog backlog_;  // last: its tail calls
};

}  // namespace renga::logs
