#include "git/backend.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <array>

#include "base/report.h"
#include "base/text.h"

namespace renga::git {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_held = 1 << 20;  // bytes of answer that wait for the request's end
constexpr std::size_t longest_head = 64 << 10;
// The longest a push can take: its upload, its turn among the builds, 15 minutes of build and an
// hour of release command.
constexpr auto longest_run = 3h;

// A CGI program ends its head's lines as it likes.
std::optional<std::size_t> end_of_head(std::string_view bytes) {
  const auto crlf = bytes.find("\r\n\r\n"), lf = bytes.find("\n\n");
  if (crlf == bytes.npos && lf == bytes.npos) return std::nullopt;
  return crlf < lf ? crlf + 4 : lf + 2;
}

}  // namespace

Backend::Backend(const os::Command& command, WithoutClient without_client,
                 std::function<void(End)> ended, std::string last_words)
    : child_(command),
      without_client_(without_client),
      ended_(std::move(ended)),
      last_words_(std::move(last_words)) {
  thread_ = std::thread([this] { pump(); });
}

Backend::~Backend() { end(); }

void Backend::end() {
  stop();
  const std::lock_guard one_joins(joining_);
  if (thread_.joinable()) thread_.join();
}

void Backend::feed(http::BodyReader* body) {
  bool open = body != nullptr;
  try {
    while (body != nullptr) {
      const auto piece = body->read();
      if (piece.empty()) break;
      // What git does not want any more is still read: a client listens only when it has spoken.
      for (std::string_view left = piece; open && !left.empty();) {
        const auto written = ::write(child_.in().get(), left.data(), left.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
          open = false;
        else
          left.remove_prefix(static_cast<std::size_t>(written));
      }
    }
  } catch (...) {
    stop();
    child_.in().close();
    throw;
  }
  child_.in().close();
}

http::Response Backend::answer(const std::shared_ptr<Backend>& backend) {
  std::string head;
  {
    auto held = backend->held_.lock();
    held.wait(backend->changed_, [&] { return held->head || held->ended; });
    if (!held->head) {
      held->client_gone = true;
      return {.status = 500, .headers = {}, .body = "git ended without an answer.\n", .stream = {}};
    }
    head = held->bytes.substr(0, *held->head);
    held->bytes.erase(0, *held->head);
  }

  http::Response response;
  for (const auto line : text::lines(head)) {
    const auto [name, value] = text::split_once(line, ':');
    if (text::equals_ignoring_case(name, "Status"))
      response.status =
          static_cast<int>(text::number(text::trim(value).substr(0, 3)).value_or(500));
    else if (!name.empty() && !text::equals_ignoring_case(name, "Content-Length"))
      response.headers.add(std::string(name), std::string(text::trim(value)));
  }
  // An answer that is never sent is a client that left.
  struct Unsent {
    explicit Unsent(std::shared_ptr<Backend> of) : backend(std::move(of)) {}
    ~Unsent() { backend->abandon(); }
    Unsent(const Unsent&) = delete;
    Unsent& operator=(const Unsent&) = delete;
    std::shared_ptr<Backend> backend;
  };
  response.stream =
      [unsent = std::make_shared<Unsent>(backend)](std::shared_ptr<http::ResponseStream> client) {
        unsent->backend->attach(std::move(client));
      };
  return response;
}

void Backend::attach(std::shared_ptr<http::ResponseStream> client) {
  held_.lock()->client = std::move(client);
  changed_.notify_all();
}

void Backend::abandon() {
  {
    auto held = held_.lock();
    if (held->client) return;
    held->client_gone = true;
  }
  changed_.notify_all();
}

void Backend::pump() {
  const auto give_up = std::chrono::steady_clock::now() + longest_run;
  std::array<char, 65536> buffer;
  while (!stopped_) {
    if (std::chrono::steady_clock::now() >= give_up) {
      report("git", "a request to git took more than three hours and was stopped");
      stopped_ = true;
      break;
    }
    pollfd wait{child_.out().get(), POLLIN, 0};
    if (poll(&wait, 1, 200) <= 0) continue;
    const auto count = ::read(child_.out().get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    if (!take({buffer.data(), static_cast<std::size_t>(count)})) break;
  }
  child_.out().close();
  // After its last word git has nothing left to do but tidying up (gc), and that is bounded as
  // well.
  bool cut_off = stopped_;
  if (cut_off || !child_.wait_for(1min)) {
    cut_off = true;
    child_.signal(SIGKILL);
    child_.wait();
  }

  // What was held is passed on before the end is told.
  std::shared_ptr<http::ResponseStream> client;
  std::string rest;
  {
    auto held = held_.lock();
    held->ended = true;
    changed_.notify_all();
    held.wait_for(changed_, 1min,
                  [&] { return held->client || held->client_gone || !held->head || stopped_; });
    client = std::exchange(held->client, nullptr);
    held->client_gone = true;
    rest = std::exchange(held->bytes, {});
  }
  if (client) {
    if (cut_off) rest += last_words_;
    if (!rest.empty()) client->write(rest);
    client->finish();
  }
  ended_(cut_off ? End::cut_off : End::whole);
  over_ = true;
}

// Passes bytes on, holds them, or drops them. False when git is to be stopped.
bool Backend::take(std::string bytes) {
  std::shared_ptr<http::ResponseStream> client;
  {
    auto held = held_.lock();
    held->bytes += bytes;
    if (!held->head && (held->head = end_of_head(held->bytes))) changed_.notify_all();
    if (!held->head && held->bytes.size() > longest_head) return false;
    while (!stopped_ && !held->client && !held->client_gone && held->bytes.size() > most_held)
      held.wait_for(changed_, 200ms, [&] { return held->client || held->client_gone; });
    if (held->client_gone) {
      held->bytes.clear();
      return without_client_ == WithoutClient::goes_on;
    }
    if (!held->client) return true;
    client = held->client;
    bytes = std::exchange(held->bytes, {});
  }
  if (client->write(bytes)) return true;
  auto held = held_.lock();
  held->client = nullptr;
  held->client_gone = true;
  return without_client_ == WithoutClient::goes_on;
}

}  // namespace renga::git
