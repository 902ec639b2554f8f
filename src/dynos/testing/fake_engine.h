// An engine without processes: what is applied is up at once (or when a test says so), and nothing
// ends but on a test's word. A one-off whose command is `exit N` ends by itself, at once. Safe from
// any thread; events come on the caller's.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "base/locked.h"
#include "base/text.h"
#include "dynos/engine.h"
#include "dynos/engines/local/attach_ends.h"
#include "dynos/testing/fake_books.h"

namespace renga::dynos {

class FakeEngine final : public Engine {
 public:
  explicit FakeEngine(Clock& clock) : clock_(clock) {}

  // What a test may set before, and ask after.
  bool boots_by_itself = true;
  std::string web_host = "127.0.0.1";
  int web_port = 5000;

  std::optional<AppSpec> applied(const Id<apps::App>& app) {
    auto books = books_.lock();
    const auto found = books->specs.find(app);
    return found == books->specs.end() ? std::nullopt : std::optional(found->second);
  }
  bool started() { return books_.lock()->started; }
  std::vector<OneOff> ran() { return books_.lock()->ran; }
  std::vector<Id<Dyno>> retired_dynos() { return books_.lock()->retired; }

  // All that start of this app come up.
  void come_up(const Id<apps::App>& app) {
    change([&](FakeBooks& books) {
      for (auto& dyno : books.dynos)
        if (dyno.app == app && dyno.state == State::starting)
          books.change(dyno, State::up, clock_.now());
    });
  }
  void crash(const Id<apps::App>& app, const std::string& name) {
    change([&](FakeBooks& books) {
      for (auto& dyno : books.dynos)
        if (dyno.app == app && dyno.name() == name)
          books.change(dyno, State::crashed, clock_.now());
    });
  }
  void end_one_off(const Id<Dyno>& id, int status) {
    change([&](FakeBooks& books) { books.end(id, status, clock_.now()); });
  }

  void set_events(EngineEvents events) override { events_ = std::move(events); }
  void start() override { books_.lock()->started = true; }

  void apply(const AppSpec& spec) override {
    change([&](FakeBooks& books) {
      books.specs.insert_or_assign(spec.app, spec);
      books.fit(spec, first_state(), clock_.now());
    });
    events_.on_endpoints_change(spec.app);
  }
  void forget(const Id<apps::App>& app) override {
    change([&](FakeBooks& books) {
      books.specs.erase(app);
      books.remove([&](const Dyno& dyno) { return dyno.app == app; }, clock_.now());
      std::erase_if(books.one_offs, [&](const auto& entry) { return entry.second.app == app; });
    });
  }
  std::vector<Dyno> dynos(const Id<apps::App>& app) override { return books_.lock()->living(app); }
  std::vector<Id<releases::Release>> releases_in_use() override {
    auto books = books_.lock();
    std::vector<Id<releases::Release>> all;
    for (const auto& dyno : books->dynos) all.push_back(dyno.release);
    for (const auto& [id, dyno] : books->one_offs)
      if (!dyno.exit_status) all.push_back(dyno.release);
    return all;
  }
  Endpoints endpoints(const Id<apps::App>& app) override {
    return books_.lock()->endpoints(app, web_host, web_port);
  }
  void retired(const Id<Dyno>& dyno) override { books_.lock()->retired.push_back(dyno); }

  Result<void> restart(const Id<apps::App>& app, std::string_view which) override {
    if (!books_.lock()->knows(app, which))
      return fail(Kind::not_found, "Couldn't find that dyno (" + std::string(which) + ").");
    change([&](FakeBooks& books) {
      const auto chosen = [&](const Dyno& dyno) {
        return dyno.app == app && (which.empty() || dyno.type == which || dyno.name() == which);
      };
      books.remove(chosen, clock_.now());
      for (const auto& dyno : books.living(app))
        if (!which.empty() && chosen(dyno)) books.end(dyno.id, 143, clock_.now());
      const auto spec = books.specs.find(app);
      if (spec != books.specs.end()) books.fit(spec->second, first_state(), clock_.now());
    });
    return {};
  }
  Result<void> stop(const Id<apps::App>& app, std::string_view which) override {
    return restart(app, which);
  }

  Result<Dyno> run(const AppSpec& spec, const OneOff& one_off) override {
    if (!spec.slug)
      return fail(Kind::conflict, "Nothing was deployed to " + spec.app_name + " yet.");
    Dyno dyno;
    change([&](FakeBooks& books) {
      const auto known = books.one_offs.find(one_off.id);
      if (known != books.one_offs.end()) {
        dyno = known->second;
        return;
      }
      books.ran.push_back(one_off);
      dyno = FakeBooks::made(spec, one_off.type, 1'000 + static_cast<int>(books.ran.size()),
                             one_off.command, one_off.size,
                             one_off.attached ? State::starting : State::up, clock_.now());
      dyno.id = one_off.id;
      books.one_offs[dyno.id] = dyno;
      books.news.push_back(dyno);
      const auto [word, status] = text::split_once(one_off.command, ' ');
      if (word == "exit")
        books.end(dyno.id, static_cast<int>(text::number(status).value_or(0)), clock_.now());
    });
    return dyno;
  }
  std::optional<Dyno> one_off(const Id<Dyno>& id) override {
    auto books = books_.lock();
    const auto found = books->one_offs.find(id);
    return found == books->one_offs.end() ? std::nullopt : std::optional(found->second);
  }
  // An attached one-off: the test plays its process at the far ends.
  Result<Attachment> attach(const Id<Dyno>& id, std::optional<Window> terminal) override {
    const auto dyno = one_off(id);
    if (!dyno || dyno->state != State::starting)
      return fail(Kind::not_found, "No dyno waits for this client.");
    auto ends = terminal ? terminal_ends(*terminal) : pipe_ends();
    change([&](FakeBooks& books) {
      books.processes[id] = std::move(ends.far);
      books.change(books.one_offs.at(id), State::up, clock_.now());
    });
    return std::move(ends.near);
  }
  void client_left(const Id<Dyno>& id) override { books_.lock()->left.push_back(id); }
  // The test plays the command, too: process(id) has its far ends, with its end of the leash.
  Result<Attachment> exec(const AppSpec&, const Id<Dyno>& id, const Exec& exec) override {
    auto ends = exec.terminal ? terminal_ends(*exec.terminal) : pipe_ends();
    int leash[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, leash) != 0)
      return fail(Kind::unavailable, "No leash.");
    ends.near.leash = os::Fd(leash[0]);
    ends.far.leash = os::Fd(leash[1]);
    change([&](FakeBooks& books) {
      books.processes[id] = std::move(ends.far);
      books.execs.push_back(exec);
    });
    return std::move(ends.near);
  }
  std::vector<Exec> execs() { return books_.lock()->execs; }
  // Once; without descriptors when it was not attached.
  Attachment process(const Id<Dyno>& id) {
    return std::exchange(books_.lock()->processes[id], Attachment());
  }
  std::vector<Id<Dyno>> clients_left() { return books_.lock()->left; }

  void stop_everything() override {
    change([&](FakeBooks& books) {
      books.specs.clear();
      books.remove([](const Dyno&) { return true; }, clock_.now());
      std::vector<Id<Dyno>> ids;
      for (const auto& [id, dyno] : books.one_offs) ids.push_back(id);
      for (const auto& id : ids) books.end(id, 143, clock_.now());
    });
  }

 private:
  State first_state() const { return boots_by_itself ? State::up : State::starting; }

  // Events go out without the lock, since those who hear them ask back.
  template <class Work>
  void change(Work work) {
    std::vector<Dyno> news;
    {
      auto books = books_.lock();
      work(*books);
      news = std::exchange(books->news, {});
    }
    std::vector<Id<apps::App>> apps;
    for (const auto& dyno : news) {
      events_.on_change(dyno);
      if (dyno.type == "web" && std::ranges::find(apps, dyno.app) == apps.end())
        apps.push_back(dyno.app);
    }
    for (const auto& app : apps) events_.on_endpoints_change(app);
  }

  Clock& clock_;
  EngineEvents events_;
  Locked<FakeBooks> books_;
};

}  // namespace renga::dynos
