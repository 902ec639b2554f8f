// Which sandbox a server runs in is written down before it is started, so that after a crash at any
// instant either that sandbox runs and is taken up, or it does not and another is started. Two
// never run on one volume: the old one is removed first, which kills what is left of it.
#include "provider/servers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/fault.h"
#include "base/id.h"
#include "base/locked.h"
#include "base/random.h"
#include "base/report.h"
#include "os/file.h"

namespace renga::provider {
namespace fs = std::filesystem;

namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uid_t user = 1000;  // on disk, as sandboxes have it
constexpr std::uint32_t first_uid = 1'000'000, uids = 65'536;
// Apps have the ranges below (apps/uid_ranges.h).
constexpr std::int64_t apps_slots = 60'000, own_slots = 1'500;
constexpr off_t longest_log = 4 << 20;
constexpr std::size_t longest_output = 64 << 10;
constexpr seconds back_offs[] = {seconds(0), seconds(1),  seconds(2),
                                 seconds(5), seconds(15), seconds(30)};
constexpr std::uintmax_t little_room = 16 << 20;
constexpr std::size_t often = 3;  // so many ends in a row are no accident

const char* const columns = "SELECT id, slot, sandbox, address, wanted, outdated FROM servers";

Server read(const store::Row& row) {
  return {row.text(0), row.integer(1), row.text(2), row.text(3), row.flag(4), row.flag(5)};
}

std::uint32_t uid_base(std::int64_t slot) {
  return first_uid + static_cast<std::uint32_t>(slot) * uids;
}

}  // namespace

struct Servers::State {
  State(const Surroundings& s, int first, Ending its_ending, Prepare its_prepare, Moved its_moved)
      : database(s.database),
        clock(s.clock),
        spawner(s.spawner),
        volumes(s.data / "volumes"),
        first_slot(apps_slots + first),
        how(its_ending),
        prepare(std::move(its_prepare)),
        moved(std::move(its_moved)) {}

  store::Database& database;
  Clock& clock;
  sandbox::Spawner& spawner;
  const fs::path volumes;
  const std::int64_t first_slot;
  const Ending how;
  const Prepare prepare;
  const Moved moved;

  struct Signals {
    bool poked = false, ending = false;
  };
  Locked<Signals> signals;
  std::condition_variable changed;
  // Starts and stops of servers take turns.
  std::mutex turn;
  struct Trouble {
    std::size_t count = 0;
    Steady::time_point started, retry;
  };
  std::map<std::string, Trouble> troubles;  // under `turn`
  Locked<std::set<std::string>> failing;
  std::thread thread;

  void poke() {
    signals.lock()->poked = true;
    changed.notify_all();
  }
  bool ending() { return signals.lock()->ending; }

  std::vector<Server> all() { return database.all(columns, read); }
  std::optional<Server> find(const std::string& id) {
    return database.first(std::string(columns) + " WHERE id = ?", read, id);
  }

  std::optional<sandbox::Running> running(const Server& server) {
    if (server.sandbox.empty() || spawner.exit_of(server.sandbox)) return std::nullopt;
    for (auto& one : spawner.running())
      if (one.id == server.sandbox) return std::move(one);
    return std::nullopt;
  }

  // What was being started, or was a job's, when an earlier provider died.
  void remove_strays() {
    std::set<std::string> known;
    for (const auto& server : all()) known.insert(server.sandbox);
    for (const auto& id : spawner.ids())
      if (!known.contains(id)) spawner.remove(id);
    remove_empty_volumes();
  }

  // Of servers that were never written down, since the provider died of it. What has anything in it
  // is nobody's to remove here.
  void remove_empty_volumes() {
    for (const auto& entry : fs::directory_iterator(volumes))
      if (!find(entry.path().filename().string())) rmdir(entry.path().c_str());
  }

  void serve() {
    while (true) {
      try {
        pass();
      } catch (const std::exception& error) {
        report("provider", std::string("looking after servers: ") + error.what());
      }
      auto now = signals.lock();
      now.wait_for(changed, milliseconds(500), [&] { return now->poked || now->ending; });
      now->poked = false;
      if (now->ending) return;
    }
  }

  void pass() {
    for (const auto& listed : all()) {
      if (!listed.wanted) continue;
      const std::scoped_lock mine(turn);
      const auto server = find(listed.id);
      if (!server || !server->wanted) continue;
      if (server->outdated) {
        end(*server);
        poke();
        continue;
      }
      trim_log(*server);
      auto& trouble = troubles[server->id];
      if (running(*server)) {
        if (trouble.count > 0 && stands(trouble)) failing.lock()->erase(server->id);
        continue;
      }
      if (Steady::now() < trouble.retry) continue;
      if (!server->sandbox.empty()) note_end(*server, trouble);
      if (Steady::now() < trouble.retry) continue;
      try {
        launch(*server, trouble);
      } catch (const std::exception& error) {
        // A volume that cannot be written to, say; the others are started all the same.
        report("provider", "server " + server->id + ": " + error.what());
        failed(*server, trouble);
      }
    }
  }

  // Has been up for as long as one that refuses to start never is.
  static bool stands(const Trouble& trouble) {
    return trouble.started != Steady::time_point{} &&
           Steady::now() - trouble.started > std::chrono::minutes(1);
  }

  // How long to wait before the next try.
  seconds failed(const Server& server, Trouble& trouble) {
    const auto wait = back_offs[std::min(trouble.count, std::size(back_offs) - 1)];
    trouble.retry = Steady::now() + wait;
    if (++trouble.count >= often) failing.lock()->insert(server.id);
    return wait;
  }

  // It has ended and was wanted: the first time it is started again at once, then after a while.
  void note_end(const Server& server, Trouble& trouble) {
    if (stands(trouble)) trouble.count = 0;
    const auto wait = failed(server, trouble);
    report("provider", "server " + server.id + " is not running; it is started again" +
                           (wait > seconds(0) ? " in a while" : ""));
    spawner.remove(server.sandbox);
    database.run("UPDATE servers SET sandbox = '' WHERE id = ?", server.id);
  }

  void launch(Server server, Trouble& trouble) {
    if (!server.sandbox.empty()) spawner.remove(server.sandbox);
    server.sandbox = new_uuid();
    if (server.address.empty()) server.address = fresh_address();
    database.run("UPDATE servers SET sandbox = ?, address = ? WHERE id = ?", server.sandbox,
                 server.address, server.id);
    trouble.started = Steady::now();
    const auto launch = prepare(server);
    sandbox::Spec spec;
    spec.id = server.sandbox;
    spec.name = launch.name;
    spec.stack = "host";
    spec.uid_base = uid_base(server.slot);
    spec.mounts = launch.mounts;
    spec.mounts.insert(spec.mounts.begin(), {(volumes / server.id).string(), "/server", true});
    spec.argv = launch.argv;
    spec.env = launch.env;
    spec.working_directory = "/server";
    spec.limits = launch.limits;
    spec.address = server.address;
    const auto log =
        os::open_file(volumes / server.id / "server.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    const auto started = spawner.start(spec, log.get());
    if (!started) {
      report("provider", "server " + server.id + ": " + started.error().message);
      failed(server, trouble);
      return;
    }
    if (started->address == server.address) return;
    // The host's addresses have been divided anew: the certificate and everybody's URL change.
    server.address = started->address;
    database.run("UPDATE servers SET address = ? WHERE id = ?", server.address, server.id);
    spawner.kill(server.sandbox);
    moved(server);
    poke();
  }

  std::string fresh_address() {
    for (int tries = 0; tries < 4096; ++tries) {
      auto address = spawner.free_address();
      if (!database.first(
              "SELECT 1 FROM servers WHERE address = ?",
              [](const store::Row& row) { return row.integer(0); }, address))
        return address;
    }
    fault(EADDRNOTAVAIL, "find an address for a server");
  }

  void end(const Server& server) {
    if (const auto found = running(server)) {
      spawner.signal(server.sandbox, how.signal);
      pollfd ended{-1, POLLIN, 0};
      const auto watched = spawner.watch(*found);
      ended.fd = watched.get();
      if (watched) poll(&ended, 1, static_cast<int>(milliseconds(how.grace).count()));
    }
    if (!server.sandbox.empty()) spawner.remove(server.sandbox);
    troubles.erase(server.id);
    failing.lock()->erase(server.id);
    database.run("UPDATE servers SET sandbox = '', outdated = 0 WHERE id = ?", server.id);
  }

  // The server appends, so that cutting the file is safe while it writes.
  void trim_log(const Server& server) {
    const auto path = volumes / server.id / "server.log";
    struct stat info;
    if (lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= longest_log)
      return;
    const auto log = os::open_file(path, O_WRONLY | O_NOFOLLOW);
    if (ftruncate(log.get(), 0) != 0) fault("cut " + path.string());
  }
};

Servers::Servers(const Surroundings& surroundings, int first_slot, Ending ending, Prepare prepare,
                 Moved moved)
    : state_(std::make_unique<State>(surroundings, first_slot, ending, std::move(prepare),
                                     std::move(moved))) {
  fs::create_directories(state_->volumes);
  if (chmod(state_->volumes.c_str(), 0700) != 0) fault("close " + state_->volumes.string());
}

Servers::~Servers() {
  state_->signals.lock()->ending = true;
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void Servers::start() {
  state_->remove_strays();
  state_->thread = std::thread([this] { state_->serve(); });
}

Server Servers::add() {
  auto transaction = state_->database.begin();
  const auto last = state_->first_slot + own_slots - 1;
  auto slot = state_->database.first(
      "SELECT coalesce(max(slot) + 1, ?) FROM servers",
      [](const store::Row& row) { return row.integer(0); }, state_->first_slot);
  if (*slot >= last)
    slot = state_->database.first(
        "SELECT min(slot) + 1 FROM servers WHERE slot + 1 NOT IN (SELECT slot FROM servers)",
        [](const store::Row& row) { return row.integer(0); });
  if (*slot >= last) fault(EADDRNOTAVAIL, "find user ids for another server: 1,499 are there");
  Server server{random_hex(6), *slot, "", ""};
  state_->database.run(
      "INSERT INTO servers (id, slot, sandbox, address, wanted, created_at) VALUES (?, ?, '', '', "
      "0, ?)",
      server.id, server.slot, state_->clock.now());
  // Root's, so that nothing in it can be put in another's place from inside.
  fs::create_directory(volume(server.id));
  fs::permissions(volume(server.id), fs::perms(0755));
  transaction.commit();
  return server;
}

void Servers::want(const std::string& id) {
  state_->database.run("UPDATE servers SET wanted = 1 WHERE id = ?", id);
  state_->poke();
}

void Servers::stop(const std::string& id) {
  state_->database.run("UPDATE servers SET wanted = 0 WHERE id = ?", id);
  const std::scoped_lock mine(state_->turn);
  if (const auto server = state_->find(id)) state_->end(*server);
}

void Servers::outdate(const std::string& id) {
  state_->database.run("UPDATE servers SET outdated = 1 WHERE id = ?", id);
}

void Servers::restart(const std::string& id) {
  {
    const std::scoped_lock mine(state_->turn);
    const auto server = state_->find(id);
    if (!server || !server->outdated) return;
    state_->end(*server);
  }
  state_->poke();
}

void Servers::forget(const std::string& id) {
  state_->database.run("DELETE FROM servers WHERE id = ? AND wanted = 0", id);
}

std::optional<Server> Servers::find(const std::string& id) const { return state_->find(id); }
bool Servers::fails(const std::string& id) const { return state_->failing.lock()->contains(id); }
void Servers::answered(const std::string& id) { state_->failing.lock()->erase(id); }

std::string Servers::advice(const std::string& id) const {
  std::error_code none;
  const auto room = fs::space(volume(id), none);
  if (!none && room.available < little_room)
    return "The disk that it is on is full: make room, and it starts by itself.";
  return "It is started again every half minute; its server.log says why it ends.";
}

bool Servers::runs(const Server& server) const { return state_->running(server).has_value(); }
std::int64_t Servers::memory(const Server& server) const {
  const auto memory = state_->spawner.memory(server.sandbox);
  return memory ? memory->used_bytes : 0;
}
fs::path Servers::volume(const std::string& id) const { return state_->volumes / id; }

Result<JobEnd> Servers::run(const Job& job) {
  sandbox::Spec spec;
  spec.id = new_uuid();
  spec.name = job.name;
  spec.stack = "host";
  // Jobs share the range after the servers' last; the mounts keep them apart.
  spec.uid_base = uid_base(state_->first_slot + own_slots - 1);
  spec.mounts = job.mounts;
  spec.argv = job.argv;
  spec.env = job.env;
  spec.working_directory = "/app";
  spec.limits = job.limits;

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fault("make a pipe");
  const os::Fd in(ends[0]);
  os::Fd out(ends[1]);
  TRY(state_->spawner.start(spec, out.get()));
  out.close();

  JobEnd end;
  bool ended_it = false;
  const auto deadline = Steady::now() + job.limit;
  char buffer[16384];
  while (true) {
    pollfd ready{in.get(), POLLIN, 0};
    if (poll(&ready, 1, 200) > 0) {
      const auto count = ::read(in.get(), buffer, sizeof buffer);
      if (count <= 0) break;
      end.output.append(buffer, static_cast<std::size_t>(count));
      if (end.output.size() > longest_output)
        end.output.erase(0, end.output.size() - longest_output);
    }
    if (ended_it) continue;
    if (Steady::now() > deadline || state_->ending() || (job.go_on && !job.go_on())) {
      state_->spawner.kill(spec.id);
      ended_it = true;
    }
  }
  // The output is over when the command is; what it says of its end comes a moment later.
  auto exit = state_->spawner.exit_of(spec.id);
  for (int tries = 0; !exit && !ended_it && tries < 250; ++tries) {
    poll(nullptr, 0, 20);
    exit = state_->spawner.exit_of(spec.id);
  }
  end.status = ended_it || !exit ? 137 : exit->status;
  state_->spawner.remove(spec.id);
  return end;
}

void Servers::make_directory(const fs::path& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fault("make " + path.string());
  if (lchown(path.c_str(), user, user) != 0) fault("hand over " + path.string());
}

void Servers::write_file(const fs::path& path, const std::string& text, Owner owner) {
  os::replace_file(path, text, owner == Owner::root ? 0644 : 0600);
  if (owner == Owner::user && lchown(path.c_str(), user, user) != 0)
    fault("hand over " + path.string());
}

}  // namespace renga::provider
