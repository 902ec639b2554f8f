// Platform: the provider's calls to the platform about its add-ons, with OAuth grants and a durable
// queue, so that a config var that was changed here reaches the apps whatever dies in between. One
// thread of its own; the calls here are quick, safe from any thread, and join the transaction that
// the caller has open.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "crypto/secret_box.h"
#include "store/database.h"

namespace renga::provider {

class Platform {
 public:
  // `url`: the platform's API, "http://127.0.0.1:7373".
  Platform(store::Database& database, Clock& clock, const crypto::SecretBox& box, std::string url,
           std::string client_secret);
  ~Platform();
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  void start();
  // The code of a provision: exchanged in the background.
  void granted(const std::string& uuid, const std::string& code);
  // Sets config vars by the manifest's names, or, with `config_namespace` ("credential:readonly"),
  // those of attachments with that namespace; nothing removes one. All of them each time: what was
  // not sent yet is replaced.
  using Config = std::map<std::string, std::optional<std::string>>;
  void set_config(const std::string& uuid, const Config& config,
                  const std::string& config_namespace = {});
  // What was to come later is there, with this config.
  void provisioned(const std::string& uuid, const Config& config);
  // The add-on is gone: what was to be said of it is not said any more.
  void forget(const std::string& uuid);

 private:
  void tell(const std::string& uuid, const std::string& path, const std::string& method,
            const std::string& body);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::provider
