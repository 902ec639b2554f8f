// LogInput: where providers write into the logs of the apps that have their add-ons. Each pair of
// them has a URL with a token in it, which is the pair sealed with the data directory's key:
// nothing is kept, and it is good until the add-on is gone or detached. Blocks on the store; safe
// from any thread.
#pragma once

#include <string>
#include <string_view>

#include "addons/books.h"
#include "addons/catalog.h"

namespace renga::addons {

class LogInput {
 public:
  LogInput(Books& books, Catalog& catalog, const crypto::SecretBox& box, std::string api_url)
      : books_(books), catalog_(catalog), box_(box), api_url_(std::move(api_url)) {}

  // "https://token:t.…@paas.example.com:7373/logs"; empty: the manifest does not ask for it.
  std::string url(const Addon& addon, const Id<apps::App>& app);

  struct Source {
    Id<Addon> addon;
    Id<apps::App> app;
    std::string service;
  };
  // Whose log this token writes into. Kind::unauthorized: nobody's, or not any more.
  Result<Source> find(std::string_view token);

 private:
  Books& books_;
  Catalog& catalog_;
  const crypto::SecretBox& box_;
  const std::string api_url_;
};

}  // namespace renga::addons
