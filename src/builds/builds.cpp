// A queue, and threads that take from it: the oldest build whose app has none under way. A build is
// on the disk and in the store before start() returns, and leaves the disk after its end is in the
// store; whatever lies between is carried on by resume().
#include "builds/builds.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <thread>

#include "accounts/accounts.h"
#include "base/fault.h"
#include "base/locked.h"
#include "base/report.h"
#include "base/text.h"
#include "builds/follow_output.h"
#include "builds/full_disk.h"
#include "builds/pipeline.h"
#include "crypto/digest.h"
#include "os/disk_use.h"

namespace renga::builds {
namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_waiting = 100;
constexpr auto longest_release_command = 65min;  // its own limit is an hour

std::string sha256_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fault("open " + path.string());
  crypto::Sha256 digest;
  std::array<char, 65536> buffer;
  while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0)
    digest.update({buffer.data(), static_cast<std::size_t>(file.gcount())});
  return digest.finish();
}

Result<void> check_source(const NewBuild& wanted) {
  if (wanted.source_directory.empty() == wanted.source_archive.empty())
    return fail(Kind::invalid, "A build needs one source: a repository or an archive.");
  const auto& source =
      wanted.source_archive.empty() ? wanted.source_directory : wanted.source_archive;
  if (!fs::exists(source)) return fail(Kind::invalid, "The source of this build is not there.");
  if (wanted.checksum.empty()) return {};

  const auto [kind, digits] = text::split_once(wanted.checksum, ':');
  if (!text::equals_ignoring_case(kind, "sha256") || digits.size() != 64 ||
      wanted.source_archive.empty())
    return fail(Kind::invalid,
                "A source's checksum is written as SHA256: and 64 hexadecimal digits.");
  const auto is = sha256_of(wanted.source_archive);
  if (is != text::lower(digits))
    return fail(
        Kind::invalid,
        fmt::format("The source does not have the checksum that was given: it has SHA256:{}. "
                    "Upload it again.",
                    is));
  return {};
}

}  // namespace

struct Builds::State {
  struct Jobs {
    std::deque<std::shared_ptr<Job>> waiting;
    std::vector<std::shared_ptr<Job>> running;
    bool stopping = false;
  };

  State(store::Database& database, Clock& clock, apps::Apps& apps, apps::Domains& domains,
        apps::BuildpackInstallations& installations, releases::Slugs& slugs,
        releases::Releases& releases, logs::OutputStreams& outputs, logs::LogStore& logs,
        sandbox::Spawner& spawner, BuildsOptions wanted)
      : options(std::move(wanted)),
        buildpacks(options.buildpacks_directory, options.local_buildpacks),
        records(database, clock),
        tools{database, clock, apps,    domains, installations, slugs,  releases,
              outputs,  logs,  spawner, options, buildpacks,    records} {
    fs::create_directories(options.directory / "caches");
    fs::permissions(options.directory, fs::perms(0700));
    for (int i = 0; i < std::max(1, options.parallel); ++i)
      threads.emplace_back([this] { work(); });
  }

  ~State() {
    {
      auto held = jobs.lock();
      held->stopping = true;
      for (const auto& job : held->running) job->call_off(Stop::interrupted);
    }
    changed.notify_all();
    for (auto& thread : threads) thread.join();
  }

  void work() {
    while (const auto job = next()) {
      Pipeline pipeline(tools, *job);
      // The one place that catches: a machine that fails one build must not take the others with
      // it.
      try {
        pipeline.run();
      } catch (const std::exception& fault) {
        settle(pipeline, *job, fault);
      }
      clean_up(*job);
      std::erase(jobs.lock()->running, job);
      changed.notify_all();
    }
  }

  // Nothing when the platform stops.
  std::shared_ptr<Job> next() {
    auto held = jobs.lock();
    for (;;) {
      if (held->stopping) return nullptr;
      const auto found = std::ranges::find_if(held->waiting, [&](const auto& job) {
        return std::ranges::none_of(
            held->running, [&](const auto& other) { return other->build.app == job->build.app; });
      });
      if (found != held->waiting.end()) {
        auto job = *found;
        held->waiting.erase(found);
        held->running.push_back(job);
        return job;
      }
      held.wait(changed, [&] { return held->stopping || has_work(*held); });
    }
  }

  static bool has_work(const Jobs& all) {
    return std::ranges::any_of(all.waiting, [&](const auto& job) {
      return std::ranges::none_of(
          all.running, [&](const auto& other) { return other->build.app == job->build.app; });
    });
  }

  // What somebody who pushes now is told of the queue; nothing when the build starts at once.
  static std::string why_waiting(const Jobs& all, const Id<apps::App>& app, std::size_t parallel) {
    const auto same = [&](const auto& job) { return job->build.app == app; };
    if (std::ranges::any_of(all.running, same) || std::ranges::any_of(all.waiting, same))
      return "-----> Waiting for another build of this app to end\n";
    if (all.running.size() + all.waiting.size() < parallel) return {};
    return fmt::format("-----> Waiting for a place: {} builds run, {} wait before this one\n",
                       all.running.size(), all.waiting.size());
  }

  void settle(Pipeline& pipeline, const Job& job, const std::exception& fault) {
    if (job.stop == Stop::interrupted) return;  // carried on by the next start
    try {
      pipeline.fail_for(fault);
    } catch (const std::exception& again) {
      report("builds",
             fmt::format("build {} is left as it is: {}", job.build.id.value, again.what()));
    }
  }

  // The files of a build that is still pending are what it will be carried on from.
  void clean_up(const Job& job) {
    try {
      const auto now = records.find(job.build.id);
      if (!now || now->status != BuildStatus::pending)
        fs::remove_all(options.directory / job.build.id.value);
      if (os::nearly_full(options.directory)) kept_source(options, job.build.app).remove();
    } catch (const std::exception& fault) {
      report("builds",
             fmt::format("cannot clean up after build {}: {}", job.build.id.value, fault.what()));
    }
  }

  // What waited and is not to be built any more; whoever pushed it reads why.
  void drop(const Job& job, const std::string& why) {
    records.fail(job.build.id, why);
    tools.outputs.append(job.build.output_stream,
                         fmt::format(" !     {}\n\n !     Push failed\n", why));
    tools.outputs.finish(job.build.output_stream);
    clean_up(job);
  }

  std::shared_ptr<Job> make_job(Build build, std::vector<std::string> wanted) const {
    auto job = std::make_shared<Job>();
    job->build = std::move(build);
    job->wanted = std::move(wanted);
    job->stopped = os::Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!job->stopped) fault("make an event for a build");
    return job;
  }

  bool is_active(const Id<Build>& id) {
    auto held = jobs.lock();
    return is_among(*held, id);
  }
  static bool is_among(const Jobs& all, const Id<Build>& id) {
    const auto is = [&](const auto& job) { return job->build.id == id; };
    return std::ranges::any_of(all.waiting, is) || std::ranges::any_of(all.running, is);
  }

  BuildsOptions options;
  Buildpacks buildpacks;
  BuildRecords records;
  Tools tools;
  Locked<Jobs> jobs;
  std::condition_variable changed;
  std::vector<std::thread> threads;  // last: they use all of the above
};

Builds::Builds(store::Database& database, Clock& clock, apps::Apps& apps, apps::Domains& domains,
               apps::BuildpackInstallations& installations, releases::Slugs& slugs,
               releases::Releases& releases, logs::OutputStreams& outputs, logs::LogStore& logs,
               sandbox::Spawner& spawner, BuildsOptions options)
    : state_(std::make_unique<State>(database, clock, apps, domains, installations, slugs, releases,
                                     outputs, logs, spawner, std::move(options))) {}
Builds::~Builds() = default;

void Builds::on_change(std::function<void(const Build&)> callback) {
  state_->records.on_change(std::move(callback));
}

void Builds::resume() {
  auto& outputs = state_->tools.outputs;
  const auto pending = state_->records.pending();

  // Files of builds that ended, or were never accepted, before their directory was gone.
  for (const auto& entry : fs::directory_iterator(state_->options.directory)) {
    const auto name = entry.path().filename().string();
    const auto is = [&](const auto& each) { return each.build.id.value == name; };
    if (name != "caches" && name != "sources" && std::ranges::none_of(pending, is))
      fs::remove_all(entry.path());
  }
  // Builds that ended just before their output did.
  for (const auto& build : state_->records.newest_ended(1'000))
    if (outputs.exists(build.output_stream) && !outputs.finished(build.output_stream))
      outputs.finish(build.output_stream);

  for (auto [build, wanted] : pending) {
    state_->tools.spawner.remove(build.id.value);
    if (!outputs.exists(build.output_stream) || outputs.finished(build.output_stream)) {
      build.output_stream = outputs.create();
      state_->records.set_output_stream(build.id, build.output_stream);
    }
    outputs.append(build.output_stream, "\n-----> The platform was restarted: building again\n");
    state_->jobs.lock()->waiting.push_back(state_->make_job(build, wanted));
  }
  state_->changed.notify_all();
}

Result<Build> Builds::start(const apps::App& app, const accounts::Account& user,
                            const NewBuild& wanted) {
  auto& tools = state_->tools;
  TRY(check_source(wanted));
  for (const auto& buildpack : wanted.buildpacks) TRY(state_->buildpacks.find(buildpack));

  const auto now = tools.clock.now();
  Build build{.id = Id<Build>::create(),
              .app = app.id,
              .user = user.id,
              .status = BuildStatus::pending,
              .stack = app.build_stack,
              .buildpacks = {},
              .source_url = wanted.source_url,
              .source_version = wanted.version,
              .source_checksum = wanted.checksum,
              .version_description = wanted.version_description,
              .output_stream = {},
              .slug = {},
              .release = {},
              .failure = {},
              .created_at = now,
              .updated_at = now};
  for (const auto& buildpack : wanted.buildpacks)
    build.buildpacks.push_back(state_->buildpacks.find(buildpack)->name);

  BuildDirectory files(state_->options.directory / build.id.value);
  // Gone again unless the build was accepted.
  struct Undo {
    fs::path path;
    ~Undo() {
      std::error_code ignored;  // resume() takes away what is left
      if (!path.empty()) fs::remove_all(path, ignored);
    }
  } undo{files.path()};
  try {
    if (wanted.source_archive.empty())
      files.keep_repository(wanted.source_directory);
    else
      files.keep_source(wanted.source_archive);
    files.keep_submodules(wanted.submodules);
    if (!files.is_commit()) TRY(files.unpack(build));
  } catch (const std::system_error& fault) {
    if (!is_full_disk(fault, state_->options.directory)) throw;
    return fail(Kind::unavailable, fmt::format("{} {}", full_disk, free_some_space));
  }

  auto job = state_->make_job(build, wanted.buildpacks);
  job->unpacked = true;
  {
    auto held = state_->jobs.lock();
    if (held->stopping || held->waiting.size() >= most_waiting)
      return fail(
          Kind::unavailable,
          fmt::format("{} builds are waiting already, and no more are taken. Try again later.",
                      held->waiting.size()));
  }
  job->build.output_stream = build.output_stream = tools.outputs.create();
  state_->records.add(build, wanted.buildpacks);
  undo.path.clear();
  tools.logs.append(app.id, {now, "app", "api", "Build started by user " + user.email});
  {
    auto held = state_->jobs.lock();
    if (const auto why = State::why_waiting(*held, app.id, state_->threads.size()); !why.empty())
      tools.outputs.append(build.output_stream, why);
    held->waiting.push_back(job);
  }
  state_->changed.notify_all();
  return build;
}

Build Builds::wait(const Id<Build>& id) {
  {
    auto held = state_->jobs.lock();
    held.wait(state_->changed, [&] { return held->stopping || !State::is_among(*held, id); });
  }
  auto build = state_->records.find(id);
  if (build) return *std::move(build);
  Build gone;  // its app was destroyed, and the row with it
  gone.id = id;
  gone.status = BuildStatus::failed;
  gone.failure = "The app was destroyed.";
  return gone;
}

Result<Build> Builds::find(const Id<apps::App>& app, std::string_view identity) {
  auto build = state_->records.find({std::string(identity)});
  if (!build || build->app != app) return fail(Kind::not_found, "Couldn't find that build.");
  return *build;
}

std::vector<Build> Builds::all(const Id<apps::App>& app) { return state_->records.all(app); }

Result<Build> Builds::cancel(const Id<apps::App>& app, std::string_view identity) {
  const auto build = TRY(find(app, identity));
  std::shared_ptr<Job> waiting;
  bool running = false;
  {
    auto held = state_->jobs.lock();
    const auto is = [&](const auto& job) { return job->build.id == build.id; };
    if (const auto found = std::ranges::find_if(held->waiting, is); found != held->waiting.end()) {
      waiting = *found;
      held->waiting.erase(found);
    } else if (const auto other = std::ranges::find_if(held->running, is);
               other != held->running.end()) {
      (*other)->call_off(Stop::cancelled);
      running = true;
    }
  }
  if (waiting) {
    state_->drop(*waiting, "The build was cancelled.");
    state_->changed.notify_all();
  } else if (!running) {
    return fail(Kind::conflict, "This build has ended and cannot be cancelled.");
  }
  return wait(build.id);
}

std::optional<releases::Status> Builds::follow_release(
    const Build& build, const std::function<bool(std::string_view)>& each) {
  auto& tools = state_->tools;
  if (!build.slug || !build.release) return std::nullopt;
  const auto slug = tools.slugs.find(*build.slug);
  if (!slug || !slug->process_types.contains("release")) return std::nullopt;

  const auto give_up = std::chrono::steady_clock::now() + longest_release_command;
  bool wanted = true;
  bool followed = false;
  const auto pass_on = [&](std::string_view bytes) { return wanted = each(bytes); };
  const auto goes_on = [&] { return !state_->jobs.lock()->stopping; };
  for (;;) {
    const auto release = tools.releases.find(*build.release);
    if (!release) return std::nullopt;
    // The stream is read to its end even where the command was quicker than this loop.
    if (!followed && release->output_stream) {
      followed = true;
      follow_output(tools.outputs, *release->output_stream, pass_on, goes_on);
      continue;
    }
    if (release->status != releases::Status::pending || !wanted ||
        std::chrono::steady_clock::now() >= give_up)
      return release->status;
    // An empty piece asks whether anybody still listens.
    wanted = each({});
    auto held = state_->jobs.lock();
    if (held.wait_for(state_->changed, 50ms, [&] { return held->stopping; }))
      return release->status;
  }
}

void Builds::clear_cache(const Id<apps::App>& app) {
  fs::remove_all(state_->options.directory / "caches" / app.value);
  kept_source(state_->options, app).forget();
}

Result<std::string> Builds::buildpack(std::string_view name) const {
  return TRY(state_->buildpacks.find(name)).name;
}

std::vector<KnownBuildpack> Builds::known_buildpacks() const { return state_->buildpacks.known(); }

void Builds::forget(const Id<apps::App>& app) {
  std::vector<std::shared_ptr<Job>> dropped;
  {
    auto held = state_->jobs.lock();
    const auto is = [&](const auto& job) { return job->build.app == app; };
    for (const auto& job : held->waiting)
      if (is(job)) dropped.push_back(job);
    std::erase_if(held->waiting, is);
    for (const auto& job : held->running)
      if (is(job)) job->call_off(Stop::cancelled);
    held.wait(state_->changed,
              [&] { return held->stopping || std::ranges::none_of(held->running, is); });
  }
  for (const auto& job : dropped) state_->drop(*job, "The app was destroyed.");
  state_->changed.notify_all();
  for (const auto& build : all(app)) state_->tools.outputs.remove(build.output_stream);
  clear_cache(app);
  kept_source(state_->options, app).remove();
}

}  // namespace renga::builds
