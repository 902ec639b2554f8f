// What `renga server` is told on its command line. A value.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "dynos/sizes.h"

namespace renga::server {

struct Options {
  std::filesystem::path data;
  std::string listen = "127.0.0.1:7373";  // the control endpoint
  std::string http = "127.0.0.1:8080";    // where apps answer
  std::string https;                      // the same over TLS; empty: not served
  std::string metrics;                    // where GET /metrics is answered; empty: nowhere
  std::string domain = "localhost";       // apps are at <app>.<domain>
  std::string public_url;  // of the control endpoint, for providers elsewhere; empty: `listen`
  std::filesystem::path build_env_file;  // NAME=value lines, over the environment's
  // See dynos::LocalEngineOptions; 0: never.
  std::chrono::seconds sleep_after{1800};
  std::chrono::seconds put_away_after{6 * 3600};
  std::chrono::seconds cycle_after{24 * 3600};
  int cycle_from = 2;
  dynos::Sizes dyno_sizes = dynos::Sizes::usual();
  int overcommit = 0;  // see dynos::Capacity::most_percent
  // Directories whose buildpacks apps may name by their path.
  std::vector<std::filesystem::path> local_buildpacks;
};

// /var/lib/renga for root, else $XDG_DATA_HOME/renga or ~/.local/share/renga.
std::filesystem::path default_data_directory();

// `arguments`: those behind `renga server`. Kind::invalid: an unknown option, or a value that
// cannot be.
Result<Options> parse_options(const std::vector<std::string>& arguments);

// The operator's settings for builds: package indexes, proxies and CA bundles for pip, npm, Go,
// Maven and cargo, from the server's environment and then the file. They reach builds and nothing
// else. Kind::invalid: a file that cannot be read, or a line in it that is not NAME=value.
Result<std::map<std::string, std::string>> build_environment(const Options& options);

}  // namespace renga::server
