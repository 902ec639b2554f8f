// Books: the rows of add-ons, their attachments and config, and the releases that are owed to apps.
// What the rows mean is for the other classes of this room. Blocks on the store; safe from any
// thread; several calls are one change inside the caller's transaction. Private to this room.
#pragma once

#include <string_view>
#include <vector>

#include "addons/addon.h"
#include "apps/config_vars.h"
#include "crypto/secret_box.h"
#include "store/database.h"

namespace renga::addons {

// An attachment that waits to take a name over from another has this in front of it.
inline constexpr char taking_over = '~';

class Books {
 public:
  Books(store::Database& database, Clock& clock, const crypto::SecretBox& box)
      : database_(database), clock_(clock), box_(box) {}

  void insert(const Addon& addon, const std::map<std::string, std::string>& options);
  // Everything but its id, service and options.
  void update(Addon addon);
  // Its `gone_at` and `former_owner`, unless it has them; for update() to write.
  void note_destroyed(Addon& addon);
  std::optional<Addon> find(const Id<Addon>& id);
  // The one that is not deprovisioned; else the last that was.
  std::optional<Addon> find_by_name(std::string_view name);
  std::vector<Addon> all();                             // but deprovisioned ones; by name
  std::vector<Addon> all_on(const Id<apps::App>& app);  // the same, billed to that app
  std::vector<Addon> destroyed_since(Time time);        // deprovisioned ones, the last first
  // Those whose app is gone while they are not on their way out.
  std::vector<Addon> orphans();
  // Whose task is due, the longest waiting first.
  std::vector<Addon> due(Time now);
  std::optional<Time> next_due();
  void all_due_now();                   // what a crash or a stop left, but what waits
  void forget_older_than(Time before);  // deprovisioned ones
  std::map<std::string, std::string> options(const Id<Addon>& id);

  std::map<std::string, std::string> config(const Id<Addon>& id, std::string_view name_space);
  void set_config(const Id<Addon>& id, std::string_view name_space,
                  const std::map<std::string, std::string>& vars);
  void forget_config(const Id<Addon>& id);

  void insert(const Attachment& attachment);
  void rename(const Id<Attachment>& id, std::string_view name);
  void remove(const Id<Attachment>& id);
  std::optional<Attachment> find(const Id<Attachment>& id);
  std::vector<Attachment> attachments();
  std::vector<Attachment> attachments_of(const Id<Addon>& addon);    // the oldest first
  std::vector<Attachment> attachments_on(const Id<apps::App>& app);  // by name

  struct OwedRelease {
    Id<apps::App> app;
    std::string description;
    Id<accounts::Account> user;
    bool command = false;  // runs the release command
  };
  void owe(const OwedRelease& release);
  std::vector<Id<apps::App>> owed_apps();
  // Takes the oldest of the app off the books.
  std::optional<OwedRelease> take_owed(const Id<apps::App>& app);

 private:
  store::Database& database_;
  Clock& clock_;
  const crypto::SecretBox& box_;
};

}  // namespace renga::addons
