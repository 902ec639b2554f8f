// Spec: everything the spawner needs to start one sandbox: a dyno, a one-off or a build. A value;
// it crosses a unix socket to the spawner, never a command line, since `env` holds secrets.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace renga::sandbox {

struct Limits {
  std::int64_t memory_bytes = 512LL << 20;
  int cpu_weight =
      100;  // relative, as cgroup v2's cpu.weight: 1 to 10,000; 100 is a standard-1X dyno
  int pids = 256;
};

// A directory of the host that is seen inside. Files keep the ids they have on disk: 1000 on disk
// is the sandbox's own user inside, whatever the app (idmapped mounts).
struct Mount {
  std::string source;  // absolute path of a directory on the host
  std::string target;  // absolute path inside: /app, /tmp/build_x, /cache, /env
  bool writable = false;
};

struct Spec {
  std::string
      id;  // a UUID: names the cgroup, the run directory, and nothing else is needed to find it
  std::string name;            // "web.1", "release.4711", "build": the host name inside, and DYNO
  std::string stack;           // "host": the host's own /usr, read-only, under a made-up /etc
  std::uint32_t uid_base = 0;  // the app's range of host ids: 65,536 from here; at least 100,000

  // What /app is made of: a read-only directory (an unpacked slug) under an overlay that is gone
  // with the sandbox. Empty: an empty writable /app.
  std::string app_directory;
  std::vector<Mount> mounts;

  std::vector<std::string> argv;           // run as user 1000, in working_directory
  std::map<std::string, std::string> env;  // the whole environment
  std::string working_directory = "/app";  // must stay inside the sandbox
  Limits limits;
  // Inside; kept over restarts where it is free. Empty, or of another slice: any.
  std::string address;

  // Where the output goes: each line to the log socket (renga-init reconnects to it, buffers 256
  // KiB and counts what it drops), or, when `output_fd` is handed over with the call, straight into
  // that descriptor.
  std::string log_socket;  // path of the listening unix socket on the host
  std::string log_secret;  // the first line that renga-init sends: "<id> <secret>\n"
};

}  // namespace renga::sandbox
