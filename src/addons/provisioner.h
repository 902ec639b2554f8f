// Provisioner: asks providers for what the books say is still to be done, and writes down what came
// of it. Every task is a row before anybody is asked, and a request may be sent twice but not lost:
// so whatever crashes, platform and provider end up with the same books.
//
// Whoever writes a task down may carry it out at once with a claim; what fails, what nobody had
// room for, and what a crash left, the worker threads take up, with longer and longer pauses.
// Safe from any thread; no call may be made inside a transaction.
#pragma once

#include <map>
#include <set>

#include "addons/books.h"
#include "addons/catalog.h"
#include "addons/grants.h"
#include "addons/log_drains.h"
#include "addons/log_input.h"
#include "addons/owed_releases.h"
#include "addons/provider.h"
#include "base/workers.h"

namespace renga::addons {

struct ProvisionerOptions {
  std::string api_url;  // where providers call back: "https://paas.example.com:7373"
  int workers = 6;
  int at_once = 32;                     // calls to providers, of all services
  int at_once_of_a_service = 8;         // so that one that hangs leaves the others room
  std::chrono::hours longest_wait{12};  // for a provider that said "later"
};

// What an attempt to provision that gets no answer means: the user who waits is told that it
// failed; or it is tried again for a while.
enum class Patience { none, some };

class Provisioner {
 public:
  Provisioner(store::Database& database, Clock& clock, Books& books, Catalog& catalog,
              Grants& grants, LogDrains& log_drains, LogInput& log_input, OwedReleases& owed,
              Provider& provider, ProvisionerOptions options);
  ~Provisioner();
  Provisioner(const Provisioner&) = delete;
  Provisioner& operator=(const Provisioner&) = delete;

  // Starts the workers, which first carry on what a crash left.
  void start();
  void poke() { workers_.poke_all(); }
  // One round of a worker, on this thread: everything that is due now. For tests.
  void work();

  // The right to be the only one that talks to a provider of one add-on.
  class Claim {
   public:
    Claim(Provisioner& owner, Id<Addon> addon, Id<Service> service)
        : owner_(owner), addon_(std::move(addon)), service_(std::move(service)) {}
    ~Claim() { owner_.release(addon_, service_); }
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    const Id<Addon>& addon() const { return addon_; }

   private:
    Provisioner& owner_;
    Id<Addon> addon_;
    Id<Service> service_;
  };
  // Null: another has it, or too many calls are under way; the workers come to it.
  std::unique_ptr<Claim> claim(const Id<Addon>& addon, const Id<Service>& service);

  // Makes what follows from the books outside of them: the releases that are owed, the drains.
  void settle();

  // One attempt at the add-on's task. Kind::invalid: the provider refused, in its words;
  // Kind::unavailable: no usable answer.
  Result<void> carry_out(const Claim& claim, Patience patience);

  // Steps of the state machine, within the caller's transaction.
  void begin_deprovisioning(Addon& addon, const Id<accounts::Account>& user);
  void finish_provisioning(Addon& addon);
  void finish_deprovisioning(Addon& addon);
  void give_up_provisioning(Addon& addon, const std::string& why, bool clean_up);
  void owe_update(const Addon& addon, const std::optional<std::string>& name_space);

 private:
  struct Running {
    std::set<Id<Addon>> addons;
    std::map<Id<Service>, int> services;
  };
  void release(const Id<Addon>& addon, const Id<Service>& service);
  Duration round();
  void sweep();
  bool take_one();
  ProviderAnswer ask(const Addon& addon);
  Result<void> apply(const Id<Addon>& id, Task asked, ProviderAnswer answer, Patience patience);
  Result<void> provisioned(Addon addon, ProviderAnswer& answer, Patience patience);
  Result<void> updated(Addon addon, ProviderAnswer& answer);
  Result<void> deprovisioned(Addon addon, ProviderAnswer& answer);
  void check(const Addon& addon, ProviderAnswer& answer);
  void ask_again(Addon& addon, const std::string& problem);
  void announce(Addon& addon);
  void detach_all(const Addon& addon, const Id<accounts::Account>& user);

  store::Database& database_;
  Clock& clock_;
  Books& books_;
  Catalog& catalog_;
  Grants& grants_;
  LogDrains& log_drains_;
  LogInput& log_input_;
  OwedReleases& owed_;
  Provider& provider_;
  const ProvisionerOptions options_;
  Locked<Running> running_;
  Workers workers_;
};

}  // namespace renga::addons
