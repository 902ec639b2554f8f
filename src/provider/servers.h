// Servers: the programs that a provider keeps running, each in a sandbox on a volume of its own,
// DIR/volumes/<id>, which is /server inside. They outlive the provider: its next start takes them
// up from their sandboxes. One that ends is started again, at the same address. Also runs commands
// to their end in sandboxes (jobs): initdb, pg_dump.
//
// A thread of its own starts servers; everything else is safe from any thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "provider/provider.h"
#include "sandbox/spec.h"

namespace renga::provider {

struct Server {
  std::string id;  // 12 hexadecimal digits
  std::int64_t slot = 0;
  std::string sandbox;
  std::string address;
  bool wanted = false;
  bool outdated = false;  // runs by an earlier Launch
};

// How to start one.
struct Launch {
  std::string name;  // the host name inside
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  sandbox::Limits limits;
  std::vector<sandbox::Mount> mounts{};  // besides the volume
};

// How one is ended: by `signal`, and SIGKILL after `grace`.
struct Ending {
  int signal;
  std::chrono::seconds grace;
};

struct Job {
  std::string name;
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  std::vector<sandbox::Mount> mounts;  // 1000 on disk is the job's user
  sandbox::Limits limits;
  std::chrono::seconds limit{3600};
  // Called a few times a second; false ends the job.
  std::function<bool()> go_on;
};

struct JobEnd {
  int status = 0;      // as a shell has it; 137 when it was ended
  std::string output;  // both streams; the last 64 KiB
};

class Servers {
 public:
  // Called before each start, on the servers' thread: writes what the volume needs.
  using Prepare = std::function<Launch(const Server&)>;
  // A server has got another address; it is being started again with it.
  using Moved = std::function<void(const Server&)>;

  // `first_slot`: of the ranges of user ids, 1,500 of which are this provider's.
  Servers(const Surroundings& surroundings, int first_slot, Ending ending, Prepare prepare,
          Moved moved);
  ~Servers();
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  void start();

  // A new server that is not wanted yet, with an empty volume of root's.
  // Joins the caller's transaction.
  Server add();
  // Has it running from now on, or ends it.
  void want(const std::string& id);
  void stop(const std::string& id);
  // It needs a new Launch: by restart(), or from whoever is there next. Joins the caller's
  // transaction, so that what the Launch depends on never changes without it.
  void outdate(const std::string& id);
  // Ends one that is outdated; it is started again at once.
  void restart(const std::string& id);
  // Forgets one that was stopped. Its volume stays.
  void forget(const std::string& id);

  std::optional<Server> find(const std::string& id) const;
  bool runs(const Server& server) const;
  // It has ended again and again; it is still being started, every now and then.
  bool fails(const std::string& id) const;
  // Who reaches it says so: what it failed at is over, and it may be waited for again.
  void answered(const std::string& id);
  // What whoever is to mend that should know: sentences.
  std::string advice(const std::string& id) const;
  // Bytes of memory in use.
  std::int64_t memory(const Server& server) const;
  std::filesystem::path volume(const std::string& id) const;

  // Until it ends. Kind::unavailable: it could not be started.
  Result<JobEnd> run(const Job& job);

  // Makes a directory of the sandboxes' user.
  static void make_directory(const std::filesystem::path& path);
  // A file of root's (mode 0644), or of the sandboxes' user alone (0600).
  enum class Owner { root, user };
  static void write_file(const std::filesystem::path& path, const std::string& text, Owner owner);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::provider
