// A setup's thread looks at every pending row, does what can be done now, and looks again shortly:
// what it waits for (builds, release commands, dynos) are rows of other rooms, and so a restart of
// control changes nothing but the time.
#include "setups/app_setups.h"

#include <fmt/format.h>

#include <condition_variable>
#include <thread>

#include "base/locked.h"
#include "base/report.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "setups/setup_parents.h"

namespace renga::setups {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::size_t most_output = 64 * 1024;
constexpr std::size_t most_app_json = 64 * 1024;
constexpr auto pause = milliseconds(200);  // between two looks, while something is pending
constexpr std::chrono::seconds postdeploy_limit{3600};

struct Row {
  AppSetup setup;
  std::string source_url, source_version, source_checksum;
  std::string formation, postdeploy, postdeploy_size, postdeploy_dyno, postdeploy_stream;
  std::optional<std::int64_t> postdeploy_exit;
  bool scaled = false;
};

constexpr std::string_view select =
    "SELECT id, app, user, status, failure_message, build, success_url, created_at, updated_at, "
    "source_url, source_version, source_checksum, formation, postdeploy, postdeploy_size, "
    "postdeploy_dyno, postdeploy_stream, postdeploy_exit, scaled FROM app_setups ";

Row read(const store::Row& row) {
  Row found;
  auto& setup = found.setup;
  setup.id = row.id<AppSetup>(0);
  setup.app = row.id<apps::App>(1);
  setup.user = row.id<accounts::Account>(2);
  const auto status = row.text(3);
  setup.status = status == "pending"     ? SetupStatus::pending
                 : status == "succeeded" ? SetupStatus::succeeded
                                         : SetupStatus::failed;
  setup.failure_message = row.maybe_text(4).value_or("");
  setup.build = row.maybe_id<builds::Build>(5);
  setup.success_url = row.text(6);
  setup.created_at = row.time(7);
  setup.updated_at = row.time(8);
  found.source_url = row.text(9);
  found.source_version = row.text(10);
  found.source_checksum = row.text(11);
  found.formation = row.text(12);
  found.postdeploy = row.text(13);
  found.postdeploy_size = row.text(14);
  found.postdeploy_dyno = row.text(15);
  found.postdeploy_stream = row.text(16);
  found.postdeploy_exit = row.maybe_integer(17);
  found.scaled = row.flag(18);
  return found;
}

// Everything that is wrong, in one message.
Result<void> check(std::vector<std::string> errors) {
  if (errors.empty()) return {};
  return fail(Kind::invalid, "app.json cannot be used. " + text::join(errors, " "));
}

std::string formation_text(const AppJson& app) {
  std::string lines;
  for (const auto& wish : app.formation)
    lines += fmt::format("{}={}:{}\n", wish.type,
                         wish.quantity ? std::to_string(*wish.quantity) : std::string(), wish.size);
  return lines;
}

std::vector<dynos::ScaleChange> scale_changes(const std::string& formation) {
  std::vector<dynos::ScaleChange> changes;
  for (const auto line : text::lines(formation)) {
    const auto [type, rest] = text::split_once(line, '=');
    const auto [quantity, size] = text::split_once(rest, ':');
    changes.push_back({std::string(type), std::string(quantity), std::string(size)});
  }
  return changes;
}

}  // namespace

struct AppSetups::State {
  explicit State(AppSetupsParts its_parts)
      : parts(std::move(its_parts)),
        addons(parts.database, parts.clock, parts.box, parts.catalog, parts.addons),
        parents(parts.database, parts.apps, parts.releases) {
    fs::create_directories(parts.directory);
    fs::permissions(parts.directory, fs::perms(0700));
  }

  fs::path source_of(const Id<AppSetup>& id) const { return parts.directory / (id.value + ".tar"); }

  void end(const Row& row, SetupStatus status, const std::string& why) {
    parts.database.run(
        "UPDATE app_setups SET status = ?, failure_message = ?, updated_at = ? WHERE id = ?",
        status == SetupStatus::succeeded ? "succeeded" : "failed",
        why.empty() ? std::optional<std::string>() : why, parts.clock.now(), row.setup.id);
    std::error_code ignored;
    fs::remove(source_of(row.setup.id), ignored);
  }
  void fail_with(const Row& row, const std::string& why) { end(row, SetupStatus::failed, why); }

  // One step of one setup, if it can be done now.
  void advance(const Row& row) {
    if (parts.clock.now() - row.setup.created_at > limit)
      return fail_with(row, "The setup took longer than two hours.");
    const auto app = parts.apps.find(row.setup.app);
    if (!app) return;
    if (!row.setup.build) return start_build(row, *app);
    const auto build = parts.builds.find(app->id, row.setup.build->value);
    if (!build) return fail_with(row, "The build is gone.");
    if (build->status == builds::BuildStatus::pending) return;
    if (build->status == builds::BuildStatus::failed || !build->release)
      return fail_with(row, fmt::format("The build failed: {}", build->failure));
    const auto release = parts.releases.find(*build->release);
    if (!release || release->status == releases::Status::pending) return;
    if (release->status != releases::Status::succeeded)
      return fail_with(row, "The release command failed.");
    if (!row.scaled) return scale(row, *app);
    if (row.postdeploy.empty()) return end(row, SetupStatus::succeeded, "");
    run_postdeploy(row, *app, *release);
  }

  void start_build(const Row& row, const apps::App& app) {
    const auto user = accounts::Accounts(parts.database, parts.clock).find(row.setup.user);
    if (!user) return fail_with(row, "The account that asked for the setup is gone.");
    // The build, and what it is for, find their config vars.
    const auto addons_there = addons.ready(row.setup.id.value, app, *user);
    if (!addons_there) return fail_with(row, addons_there.error().message);
    if (!*addons_there) return;
    builds::NewBuild wanted;
    wanted.source_archive = source_of(row.setup.id);
    wanted.source_url = row.source_url;
    wanted.version = row.source_version;
    wanted.checksum = row.source_checksum;
    const auto build = parts.builds.start(app, *user, wanted);
    if (!build && build.error().kind == Kind::unavailable) return;  // later
    if (!build) return fail_with(row, build.error().message);
    parts.database.run("UPDATE app_setups SET build = ?, updated_at = ? WHERE id = ?", build->id,
                       parts.clock.now(), row.setup.id);
  }

  // The formation has its rows when the reconciler has seen the release.
  void scale(const Row& row, const apps::App& app) {
    const auto changes = scale_changes(row.formation);
    if (parts.formation.all(app.id).empty()) return;
    if (!changes.empty())
      if (const auto scaled = parts.formation.scale(app.id, changes); !scaled)
        return fail_with(row, scaled.error().message);
    parts.database.run("UPDATE app_setups SET scaled = 1, updated_at = ? WHERE id = ?",
                       parts.clock.now(), row.setup.id);
  }

  void run_postdeploy(const Row& row, const apps::App& app, const releases::Release& release) {
    const Id<dynos::Dyno> dyno{row.postdeploy_dyno};
    const auto there = parts.engine.one_off(dyno);
    if (!there) {
      const auto started =
          parts.engine.run(parts.reconciler.spec_of(app, release),
                           {.id = dyno,
                            .type = "postdeploy",
                            .command = row.postdeploy,
                            .size = parts.formation.sizes().of(row.postdeploy_size).name,
                            .env = {},
                            .time_to_live = postdeploy_limit,
                            .output_stream = row.postdeploy_stream});
      // Not deployed as far as the engine knows yet, or overloaded: the next look asks again.
      const auto taken = parts.engine.one_off(dyno);
      const bool later =
          !started && !(taken && taken->exit_status) &&
          (started.error().kind == Kind::conflict || started.error().kind == Kind::unavailable);
      if (!started && !later)
        fail_with(row, "The postdeploy script could not be started: " + started.error().message);
      return;
    }
    if (!there->exit_status) return;
    parts.outputs.finish(row.postdeploy_stream);
    parts.database.run("UPDATE app_setups SET postdeploy_exit = ?, updated_at = ? WHERE id = ?",
                       *there->exit_status, parts.clock.now(), row.setup.id);
    if (*there->exit_status == 0) return end(row, SetupStatus::succeeded, "");
    fail_with(row, fmt::format("The postdeploy script ended with status {}.", *there->exit_status));
  }

  // True while something is pending.
  bool pass() {
    const auto rows = parts.database.all(
        fmt::format("{} WHERE status = 'pending' ORDER BY created_at", select), read);
    for (const auto& row : rows) {
      try {
        advance(row);
      } catch (const std::exception& error) {
        report("setups", fmt::format("the setup {} waits: {}", row.setup.id.value, error.what()));
      }
    }
    return !rows.empty();
  }

  void work() {
    for (bool pending = true;;) {
      {
        auto guard = signals.lock();
        const auto woken = [&] { return guard->stop || guard->poked; };
        if (pending)
          guard.wait_for(condition, pause, woken);
        else
          guard.wait(condition, woken);
        if (guard->stop) return;
        guard->poked = false;
      }
      pending = pass();
    }
  }

  struct Signals {
    bool stop = false;
    bool poked = false;
  };
  AppSetupsParts parts;
  SetupAddons addons;
  SetupParents parents;
  Locked<Signals> signals;
  std::condition_variable condition;
  std::thread thread;
};

AppSetups::AppSetups(AppSetupsParts parts) : state_(std::make_unique<State>(std::move(parts))) {}

AppSetups::~AppSetups() {
  state_->signals.lock()->stop = true;
  state_->condition.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void AppSetups::start() {
  // Sources of setups that ended with a crash in between, or whose app is gone.
  auto& parts = state_->parts;
  for (const auto& entry : std::vector<fs::directory_entry>(fs::directory_iterator(parts.directory),
                                                            fs::directory_iterator()))
    if (!parts.database.first(
            "SELECT 1 FROM app_setups WHERE id = ? AND status = 'pending'",
            [](const store::Row&) { return true; }, entry.path().stem().string()))
      fs::remove(entry.path());
  state_->thread = std::thread([this] { state_->work(); });
}

Result<AppSetup> AppSetups::create(const accounts::Account& user, const NewAppSetup& wanted) {
  auto& parts = state_->parts;
  const auto text = file_in_archive(wanted.source_archive, "app.json", most_app_json);
  if (!text)
    return fail(Kind::invalid,
                "There is no app.json at the root of that source, or it is no tar archive.");
  auto read_file = read_app_json(*text);
  TRY(check(std::move(read_file.errors)));
  const auto& file = read_file.app;
  auto config = first_config(file, wanted.env);
  TRY(check(std::move(config.errors)));
  TRY(check(state_->addons.mistakes(file.addons)));
  for (const auto& wish : file.formation)
    if (!wish.size.empty() && parts.formation.sizes().find(wish.size) == nullptr)
      TRY(check({fmt::format("There is no dyno size {}.", text::printable(wish.size))}));
  apps::ConfigChanges changes(config.vars.begin(), config.vars.end());
  TRY(apps::apply({}, changes));
  const auto& buildpacks = wanted.buildpacks.empty() ? file.buildpacks : wanted.buildpacks;
  for (const auto& url : buildpacks) TRY(apps::check_buildpack(url));
  const auto parent = state_->parents.of_call(user.id, wanted.token);
  const auto manifest = crypto::sha256(*text);
  TRY(state_->parents.check(parent, manifest));

  auto app_wanted = wanted.app;
  if (app_wanted.stack.empty()) app_wanted.stack = file.stack;
  const auto id = Id<AppSetup>::create();
  const auto kept = state_->source_of(id);
  fs::copy_file(wanted.source_archive, kept);
  const auto made = make_app(user, app_wanted, buildpacks);
  if (!made) {
    fs::remove(kept);
    return std::unexpected(made.error());
  }
  // Config is there before the row is, from which on the build may start. Its rules were asked
  // already.
  TRY(parts.releases.set_config(made->id, user.id, changes));
  const auto now = parts.clock.now();
  const auto postdeploy = file.scripts.find("postdeploy");
  const auto script = postdeploy == file.scripts.end() ? Script() : postdeploy->second;
  const auto stream = script.command.empty() ? std::string() : parts.outputs.create();
  auto transaction = parts.database.begin();
  parts.database.run(
      "INSERT INTO app_setups (id, app, user, status, source_url, source_version, "
      "source_checksum, formation, postdeploy, postdeploy_size, postdeploy_dyno, "
      "postdeploy_stream, success_url, created_at, updated_at, manifest, parent) "
      "VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      id, made->id, user.id, wanted.source_url, wanted.source_version, wanted.source_checksum,
      formation_text(file), script.command, script.size, Id<dynos::Dyno>::create(), stream,
      file.success_url, now, now, manifest, parent);
  state_->addons.ask(id.value, file.addons);
  transaction.commit();
  state_->signals.lock()->poked = true;
  state_->condition.notify_all();
  return find(id);
}

Result<apps::App> AppSetups::make_app(const accounts::Account& user, const apps::NewApp& wanted,
                                      const std::vector<std::string>& buildpacks) {
  auto& parts = state_->parts;
  auto transaction = parts.database.begin();
  const auto app = TRY(parts.apps.create(user, wanted));
  parts.releases.append_first(app.id, user.id);
  if (!buildpacks.empty()) TRY(parts.buildpack_installations.replace(app.id, buildpacks));
  transaction.commit();
  return app;
}

Result<AppSetup> AppSetups::find(const Id<AppSetup>& id) {
  auto& parts = state_->parts;
  auto row = parts.database.first(fmt::format("{} WHERE id = ?", select), read, id);
  if (!row) return fail(Kind::not_found, "Couldn't find that app setup.");
  if (row->postdeploy_exit) {
    Postdeploy postdeploy{static_cast<int>(*row->postdeploy_exit), {}};
    if (parts.outputs.finished(row->postdeploy_stream))
      parts.outputs.follow(row->postdeploy_stream, 0, [&](std::string_view piece) {
        postdeploy.output += piece;
        if (postdeploy.output.size() > most_output)
          postdeploy.output.erase(0, postdeploy.output.size() - most_output);
        return true;
      });
    row->setup.postdeploy = std::move(postdeploy);
  }
  return row->setup;
}

}  // namespace renga::setups
