// Supervisor: starts the providers that renga brings, puts the manifests they print into the
// catalog, and starts them again when they end. docs/addons.md has the protocol. One thread for
// each provider. A provider ends when its standard input does: so it outlives neither this object
// nor a control that was killed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "addons/catalog.h"

namespace renga::addons {

struct BuiltInProvider {
  std::string name;     // `renga provider NAME`
  std::string service;  // the only one that its manifest may be of
};

struct SupervisorOptions {
  std::string program;              // "/proc/self/exe"
  std::filesystem::path directory;  // DIR/providers; each has DIR/providers/NAME
  std::string api_url;
  std::vector<BuiltInProvider> providers;
  std::chrono::milliseconds start_limit{60'000};  // to the manifest
  std::chrono::milliseconds stop_limit{15'000};   // from the end of input to SIGKILL
};

class Supervisor {
 public:
  Supervisor(Catalog& catalog, SupervisorOptions options);
  // Ends them, all at once.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void start();
  // Until each is in the catalog or has ended once, and no longer than `limit`.
  void wait_until_settled(std::chrono::milliseconds limit);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::addons
