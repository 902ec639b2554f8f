// Domains: the host names an app answers at. The default one, <app>.<platform domain>, is made with
// the app and follows its name; custom ones are added by people. A host name belongs to one app.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/app.h"
#include "base/result.h"
#include "store/database.h"

namespace renga::apps {

struct Domain {
  Id<Domain> id;
  Id<App> app;
  std::string hostname;  // lower case; "*.example.com" for a wildcard
  bool custom = false;
  std::optional<std::string> sni_endpoint;  // id of the certificate; none: the platform's own
  Time created_at;
  Time updated_at;
  bool operator==(const Domain&) const = default;
};

class Domains {
 public:
  // `platform_domain`: "localhost", or what --domain says.
  Domains(store::Database& database, Clock& clock, std::string platform_domain)
      : database_(database), clock_(clock), platform_domain_(std::move(platform_domain)) {}

  // The default domain is computed, never stored: its id is derived from the app's.
  std::vector<Domain> all(const App& app);
  // The custom ones of every app: for the route table.
  std::vector<Domain> all_custom();
  Result<Domain> find(const App& app, std::string_view identity);  // id or host name
  // Kind::invalid: malformed, under the platform's own domain, taken, past 1,000 an app, or
  // covering or covered by a wildcard of another account's app.
  Result<Domain> add(const App& app, std::string_view hostname);
  Result<Domain> remove(const App& app, std::string_view identity);
  std::string default_hostname(const App& app) const { return app.name + "." + platform_domain_; }

 private:
  std::optional<std::string> overlapping(const App& app, const std::string& hostname);

  store::Database& database_;
  Clock& clock_;
  std::string platform_domain_;
};

}  // namespace renga::apps
