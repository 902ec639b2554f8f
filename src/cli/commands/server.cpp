// The manual pages of the platform's own parts. main.cpp runs them; the CLI only explains them.
#include "cli/commands/app_commands.h"
#include "cli/commands/commands.h"

namespace renga::cli {
namespace {

Result<int> run(Context&) {
  return fail(Kind::unsupported, "This program is the CLI alone; it has no server in it.");
}

}  // namespace

Command server() {
  return {
      .name = "server",
      .usage = "",
      .summary = "run the platform on this machine",
      .help =
          R"(Runs until SIGTERM, then stops control and router and leaves the dynos running. Run it as root: dynos
are isolated with namespaces and cgroups. When it serves it prints one line:

  renga: ready listen=http://127.0.0.1:7373 http=http://127.0.0.1:8080 data=DIR

The listen port takes the API and git, plain and over TLS. The first start makes the admin's
token (DIR/admin.token) and a certificate authority (DIR/ca.pem).)",
      .flags = {{"data", 0, "DIR", "the data directory (root: /var/lib/renga)"},
                {"listen", 0, "HOST:PORT", "API and git (default 127.0.0.1:7373)"},
                {"http", 0, "HOST:PORT", "where apps answer (default 127.0.0.1:8080)"},
                {"https", 0, "HOST:PORT", "the same over TLS (default: not served)"},
                {"metrics", 0, "HOST:PORT", "where GET /metrics tells Prometheus of requests"},
                {"domain", 0, "NAME", "apps are at APP.NAME (default localhost)"},
                {"public-url", 0, "URL", "where add-on providers elsewhere call back"},
                {"build-env-file", 0, "FILE", "NAME=value lines that builds get"}},
      .run = run,
      .hidden = true};
}

Command server_stop() {
  return {
      .name = "server:stop",
      .usage = "",
      .summary = "end the server of a data directory",
      .help = R"(Without --dynos, what runs goes on running, and the next server takes it over.)",
      .flags = {{"data", 0, "DIR", "the data directory (root: /var/lib/renga)"},
                {"dynos", 0, "", "stop the dynos as well, whether or not a server is up"}},
      .run = run,
      .hidden = true};
}

Command server_restart() {
  return {
      .name = "server:restart",
      .usage = "",
      .summary = "put a newer program in the server's place",
      .help =
          R"(The program that is now at the path which the server was started from takes its place, with the
same options. Dynos are not touched. The router goes on serving; if it runs another program
it hands its listening sockets over to one of the new program and finishes what it has under
way, at most 30 s. No request is lost; the API answers again a moment later.)",
      .flags = {{"data", 0, "DIR", "the data directory (root: /var/lib/renga)"}},
      .run = run,
      .hidden = true};
}

Command backup() {
  return {
      .name = "backup",
      .usage = "FILE",
      .summary = "write the whole server into one file, while it serves",
      .help =
          R"(The file has the store, the slugs, the git repositories and the keys in it: whoever reads it
can read every config var. Logs, build caches and the data of add-ons are not in it.
`tar xf FILE` and `sha256sum -c checksums` look into it without renga.

Example:
  $ renga backup /backups/renga-$(date +%F).tar)",
      .flags = {{"data", 0, "DIR", "the data directory (root: /var/lib/renga)"}},
      .run = run,
      .hidden = true};
}

Command restore() {
  return {
      .name = "restore",
      .usage = "FILE",
      .summary = "make a data directory from a backup",
      .help = R"(The data directory must not be there, or be empty. A backup that was cut short or
changed is refused, and nothing is restored. Start `renga server --data DIR` afterwards.)",
      .flags = {{"data", 0, "DIR", "the data directory (root: /var/lib/renga)"}},
      .run = run,
      .hidden = true};
}

}  // namespace renga::cli
