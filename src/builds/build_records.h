// Build records: the rows of builds. Private to this room. Blocks on the store; safe from any
// thread.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "builds/build.h"
#include "store/database.h"

namespace renga::builds {

class BuildRecords {
 public:
  BuildRecords(store::Database& database, Clock& clock) : database_(database), clock_(clock) {}

  void on_change(std::function<void(const Build&)> callback) { changed_ = std::move(callback); }

  void add(const Build& build, const std::vector<std::string>& wanted);
  std::optional<Build> find(const Id<Build>& id);
  std::vector<Build> all(const Id<apps::App>& app);  // newest first
  std::vector<Build> newest_ended(int limit);        // of all apps
  // What a crash left behind, oldest first, with the buildpacks that were given for it.
  struct Pending {
    Build build;
    std::vector<std::string> wanted;
  };
  std::vector<Pending> pending();
  bool built_before(const Id<apps::App>& app, std::string_view version);

  void set_output_stream(const Id<Build>& id, std::string_view stream);
  // Both move a pending build, and no other.
  void succeed(const Id<Build>& id, const Id<releases::Slug>& slug,
               const Id<releases::Release>& release, const std::vector<std::string>& buildpacks);
  void fail(const Id<Build>& id, std::string_view why);

 private:
  void tell(const Id<Build>& id);

  store::Database& database_;
  Clock& clock_;
  std::function<void(const Build&)> changed_ = [](const Build&) {};
};

}  // namespace renga::builds
