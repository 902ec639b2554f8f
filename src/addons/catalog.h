// Catalog: the services that there are, their plans and secrets. Every call blocks on the store and
// is safe from any thread. Secrets are sealed in the rows.
#pragma once

#include <string_view>
#include <vector>

#include "addons/addon.h"
#include "crypto/secret_box.h"
#include "store/database.h"

namespace renga::addons {

class Catalog {
 public:
  Catalog(store::Database& database, Clock& clock, const crypto::SecretBox& box)
      : database_(database), clock_(clock), box_(box) {}

  struct Registered {
    Service service;
    Secrets secrets;
    Secrets made_up;  // those of them that neither the manifest nor an earlier one had
  };
  // Adds a service, or replaces what is known of it. A secret that is left out stays as it was, or
  // is made up. Kind::invalid: a var or the prefix changed under add-ons that there are.
  Result<Registered> put(const Manifest& manifest);
  // Kind::conflict: there are add-ons of it.
  Result<Service> remove(std::string_view identity);

  std::vector<Service> services();                      // by name
  Result<Service> service(std::string_view identity);   // id or name
  Service service(const Id<Service>& id);               // throws when there is none
  std::vector<Plan> plans(const Id<Service>& service);  // those offered, in the manifest's order
  Result<Plan> plan(std::string_view identity);         // id, "service:plan", or "service"
  Plan plan(const Id<Plan>& id);                        // throws when there is none
  Secrets secrets(const Id<Service>& service);
  // The secrets that a service has or, before it is there, shall have: for a provider that is
  // started before its manifest is known.
  static Secrets made_up();

 private:
  void put_plans(const Id<Service>& service, const Manifest& manifest, Time now);

  store::Database& database_;
  Clock& clock_;
  const crypto::SecretBox& box_;
};

}  // namespace renga::addons
