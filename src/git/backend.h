// Backend: one run of `git http-backend`, the CGI program that speaks git's smart HTTP. A thread of
// its own reads what it answers, so that a client that leaves does not stop it: a push that git has
// accepted is carried to its end, into nowhere. Private to this room. feed() and answer() belong to
// one thread; the rest is safe from any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/locked.h"
#include "http/message.h"
#include "os/process.h"

namespace renga::git {

class Backend {
 public:
  // `ended` is called once, on the backend's thread, when git has ended: by itself, or cut off by
  // stop() or the time limit. A client whose git is stopped gets `last_words` before the answer
  // ends: in git's framing, since it waits for ever for the rest of an answer that was cut off and
  // yet ended well.
  enum class WithoutClient { goes_on, stops };
  enum class End { whole, cut_off };
  Backend(const os::Command& command, WithoutClient without_client, std::function<void(End)> ended,
          std::string last_words = {});
  // Kills it if it runs.
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  // The request's body, to its end. Throws what reading it throws, after stopping git.
  void feed(http::BodyReader* body);
  // Waits for the head; the body follows as git writes it. 500 when git ended without one.
  static http::Response answer(const std::shared_ptr<Backend>& backend);

  bool over() const { return over_; }
  void stop() {
    stopped_ = true;
    changed_.notify_all();
  }
  // Stops it and waits for its end: nothing of it runs when this returns, whoever else still holds
  // it.
  void end();

 private:
  struct Held {
    std::string bytes;                // read and not passed on yet
    std::optional<std::size_t> head;  // the head's size with its empty line
    std::shared_ptr<http::ResponseStream> client;
    bool client_gone = false;
    bool ended = false;
  };

  void pump();
  bool take(std::string bytes);
  void attach(std::shared_ptr<http::ResponseStream> client);
  void abandon();

  os::Child child_;
  const WithoutClient without_client_;
  const std::function<void(End)> ended_;
  const std::string last_words_;
  std::atomic<bool> stopped_ = false;
  std::atomic<bool> over_ = false;
  Locked<Held> held_;
  std::condition_variable changed_;
  std::mutex joining_;
  std::thread thread_;
};

}  // namespace renga::git
