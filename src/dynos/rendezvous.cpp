#include "dynos/rendezvous.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "base/report.h"
#include "base/text.h"

namespace renga::dynos {

namespace {
constexpr std::chrono::seconds exec_limit{30};
}

Rendezvous::~Rendezvous() = default;

Result<std::string> Rendezvous::expect(const Id<Dyno>& dyno, std::optional<Window> terminal) {
  return expect({dyno, terminal});
}

Result<std::string> Rendezvous::expect_exec(const AppSpec& spec, const Id<Dyno>& dyno,
                                            const Exec& exec) {
  return expect({dyno, exec.terminal, std::pair(spec, exec)});
}

Result<std::string> Rendezvous::expect(Waiting waiting) {
  sweep();
  auto secret = random_hex(32);
  auto books = books_.lock();
  if (books->waiting.size() + books->sessions.size() >= most)
    return fail(Kind::rate_limited,
                fmt::format("{} clients are attached to one-off dynos already, which is the most "
                            "at a time. Run it detached (run:detached), or try again later.",
                            most));
  books->waiting.emplace(secret, std::move(waiting));
  return secret;
}

void Rendezvous::forget(const Id<Dyno>& dyno) {
  std::erase_if(books_.lock()->waiting,
                [&](const auto& entry) { return entry.second.dyno == dyno; });
}

void Rendezvous::dyno_changed(const Dyno& dyno) {
  if (dyno.state != State::down || !dyno.exit_status) return;
  auto books = books_.lock();
  std::erase_if(books->waiting, [&](const auto& entry) { return entry.second.dyno == dyno.id; });
  for (const auto& session : books->sessions)
    if (session->dyno() == dyno.id) session->ended(*dyno.exit_status);
}

void Rendezvous::on_line(const std::string& line, std::shared_ptr<http::RawConnection> connection) {
  sweep();
  const auto [secret, query] = text::split_once(line, '?');
  std::optional<Window> terminal;
  std::optional<std::pair<AppSpec, Exec>> exec;
  std::shared_ptr<Session> session;
  {
    auto books = books_.lock();
    const auto found = books->waiting.find(std::string(secret));
    if (found != books->waiting.end()) {
      terminal = found->second.terminal;
      exec = std::move(found->second.exec);
      auto options = options_;
      options.terminal = terminal.has_value();
      options.framed = query == "frames";
      session = std::make_shared<Session>(engine_, found->second.dyno, connection, options);
      books->sessions.push_back(session);
      books->waiting.erase(found);
    }
  }
  // A record of its own, which Heroku's CLI throws away with all that is in it.
  connection->write("rendezvous\r\n");
  if (!session) {
    connection->write("No dyno waits for this client. Run the command again.\r\n");
    return connection->finish();
  }

  try {
    auto attached = exec ? engine_.exec(exec->first, session->dyno(), exec->second)
                         : engine_.attach(session->dyno(), terminal);
    if (attached) return session->start(std::move(*attached));
    session->refuse(attached.error().message);
  } catch (const std::exception& trouble) {
    report("dynos", fmt::format("attaching to dyno {}: {}", session->dyno().value, trouble.what()));
    session->refuse("The dyno could not be attached to. Try again.");
  }
}

// Takes away sessions that are over, and execs that nobody came for. Their ends wait for their
// threads, so without the lock.
void Rendezvous::sweep() {
  std::list<std::shared_ptr<Session>> over;
  auto books = books_.lock();
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(books->waiting, [&](const auto& entry) {
    return entry.second.exec && now - entry.second.since > exec_limit;
  });
  for (auto session = books->sessions.begin(); session != books->sessions.end();) {
    const auto next = std::next(session);
    if ((*session)->over()) over.splice(over.end(), books->sessions, session);
    session = next;
  }
}

}  // namespace renga::dynos
