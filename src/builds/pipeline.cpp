// The steps and what the person who pushes sees of them. The shape of the output is Heroku's:
// "-----> " for a step, seven spaces for a detail, " !     " for what is wrong. Tools and people
// read it.
#include "builds/pipeline.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "accounts/accounts.h"
#include "apps/uid_ranges.h"
#include "base/report.h"
#include "base/text.h"
#include "builds/build_output.h"
#include "builds/build_sandbox.h"
#include "builds/full_disk.h"
#include "builds/procfile.h"
#include "builds/slugignore.h"
#include "os/disk_use.h"
#include "os/file.h"
#include "sandbox/stacks.h"

namespace renga::builds {
namespace fs = std::filesystem;

namespace {

constexpr int collect_every = 20;  // releases of an app
constexpr std::size_t small_file = 64 << 10;
constexpr std::int64_t largest_cache = 2LL << 30;
// Builds may take what is left of the machine, and no more: dynos weigh 100.
constexpr sandbox::Limits build_limits = {
    .memory_bytes = 2LL << 30, .cpu_weight = 25, .pids = 1024};

// buildpacks/driver's exit statuses.
enum Driver {
  built = 0,
  none_applies = 64,
  refused = 65,
  compile_failed = 66,
  release_failed = 67,
  not_fetched = 68,
  no_submodule = 69
};

}  // namespace

KeptSource kept_source(const BuildsOptions& options, const Id<apps::App>& app) {
  return KeptSource(options.directory / "sources" / app.value);
}

void Job::call_off(Stop why) {
  auto none = Stop::none;
  if (!stop.compare_exchange_strong(none, why)) return;
  eventfd_write(stopped.get(), 1);
}

Pipeline::Pipeline(const Tools& tools, Job& job)
    : tools_(tools), job_(job), files_(tools.options.directory / job.build.id.value) {
  const auto account = accounts::Accounts(tools.database, tools.clock).find(job.build.user);
  email_ = account ? account->email : "someone";
}

void Pipeline::run() {
  const auto done = carry_out();
  if (job_.stop == Stop::interrupted && !done) return;
  if (!done) end_as_failed(done.error().message);
}

void Pipeline::fail_for(const std::exception& fault) {
  report("builds", fmt::format("build {} failed: {}", job_.build.id.value, fault.what()));
  if (is_full_disk(fault, tools_.options.directory)) {
    end_as_failed(refuse({full_disk, free_some_space}).error().message);
    return;
  }
  say("");
  say(" !     The platform failed to carry out this build. Its operator finds the reason in its "
      "log, under");
  say(fmt::format(" !     Request ID: {}", job_.build.id.value));
  end_as_failed("The platform failed to carry out this build.");
}

Result<void> Pipeline::carry_out() {
  app_ = TRY(said(tools_.apps.find(job_.build.app)));
  say(fmt::format("-----> Building on the {} stack", job_.build.stack));
  TRY(prepare_source());
  const auto chosen = TRY(run_buildpacks());
  const auto types = TRY(discover_process_types());
  const auto slug = TRY(compress(chosen, types));
  if (job_.stop != Stop::none) return refuse({"The build was cancelled."});
  launch(chosen, slug);
  return {};
}

Result<void> Pipeline::prepare_source() {
  if (!job_.build.source_url.empty() && !job_.build.source_version.empty() &&
      tools_.records.built_before(app_.id, job_.build.source_version)) {
    say(fmt::format(" !     Warning: version {} of this app was built before.",
                    text::printable(job_.build.source_version)));
    say(" !     Its source should have another version when it is another source.");
  }
  // What a build that was interrupted left is half built.
  if (files_.is_commit())
    TRY(check_out());
  else if (!std::exchange(job_.unpacked, false))
    TRY(said(files_.unpack(job_.build)));

  if (const auto ignore = TRY(read_app(".slugignore", small_file))) {
    const auto patterns = Slugignore::parse(*ignore);
    for (const auto& line : patterns.skipped())
      say(fmt::format(" !     .slugignore has no negation; skipped: {}", text::printable(line)));
    if (const auto removed = patterns.apply(files_.app()); removed > 0)
      say(fmt::format("-----> Deleting {} files matching .slugignore patterns.", removed));
  }
  // Checked again after the buildpacks, who may write it; but nobody should wait for pip to hear of
  // a typo.
  TRY(read_procfile());
  return {};
}

Result<void> Pipeline::check_out() {
  const auto done = files_.check_out({.repository = {},
                                      .id = job_.build.source_version,
                                      .time = tools_.options.time_limit,
                                      .called_off = job_.stopped.get()},
                                     kept_source(tools_.options, app_.id));
  if (!done && job_.stop != Stop::none) return stopped();
  return said(done);
}

Result<std::optional<std::string>> Pipeline::read_app(const std::string& name, std::size_t limit) {
  return said(read_inside(files_.open_app().get(), name, limit));
}

Result<std::optional<std::string>> Pipeline::read_result(const std::string& name) {
  const auto result = os::open_file(files_.result(), O_PATH | O_DIRECTORY);
  return said(read_inside(result.get(), name, small_file));
}

std::unexpected<Error> Pipeline::stopped() {
  if (job_.stop == Stop::interrupted) return fail(Kind::unavailable, "The platform is stopping.");
  return refuse({"The build was cancelled."});
}

Result<std::vector<Buildpack>> Pipeline::buildpacks_to_try(bool& detect) {
  auto names = job_.wanted;
  if (names.empty())
    for (const auto& installation : tools_.installations.all(app_.id))
      names.push_back(installation.url);
  // The app's own list, for as long as nothing else is set.
  if (const auto own = TRY(read_app(".buildpacks", small_file))) {
    if (names.empty())
      names = dot_buildpacks(*own);
    else
      say("       The app's .buildpacks is not read: buildpacks are set (renga buildpacks:clear).");
    if (names.size() > most_buildpacks)
      return refuse({fmt::format(".buildpacks lists {} buildpacks; an app may have {}.",
                                 names.size(), most_buildpacks)});
  }
  detect = names.empty();
  if (detect) {
    say("-----> Determining which buildpack to use for this app");
    return tools_.buildpacks.offered();
  }
  std::vector<Buildpack> all;
  for (const auto& name : names) all.push_back(TRY(said(tools_.buildpacks.find(name))));
  if (all.size() == 1) {
    say("-----> Using buildpack: " + all[0].shown());
  } else {
    say("-----> Using buildpacks:");
    for (std::size_t i = 0; i < all.size(); ++i)
      say(fmt::format("       {}. {}", i + 1, all[i].shown()));
  }
  return all;
}

sandbox::Spec Pipeline::spec(const std::string& stack, const std::vector<Buildpack>& buildpacks,
                             bool detect) {
  const auto build_dir = "/tmp/build_" + job_.build.id.value.substr(0, 8);
  sandbox::Spec spec;
  spec.id = job_.build.id.value;
  spec.name = "build";
  spec.stack = stack;
  spec.uid_base = apps::UidRanges(tools_.database).base(app_.id);
  spec.mounts = files_.mounts(tools_.options.buildpacks_directory, build_dir, buildpacks);
  // Which buildpacks is in a file: their URLs may have passwords in them.
  spec.argv = {
      "/bin/bash", "/buildpacks/driver", detect ? "detect" : "named", build_dir, "/cache", "/env",
      "/result"};
  spec.env = files_.with_certificates(tools_.options.environment);
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"HOME", "/app"},
                                    {"PATH", "/usr/local/bin:/usr/bin:/bin"},
                                    {"LANG", "C.UTF-8"},
                                    {"STACK", job_.build.stack},
                                    {"SOURCE_VERSION", job_.build.source_version},
                                    {"REQUEST_ID", job_.build.id.value},
                                    {"DYNO", spec.name}})
    spec.env[name] = value;
  spec.working_directory = "/tmp";
  spec.limits = build_limits;
  return spec;
}

Result<Pipeline::Chosen> Pipeline::run_buildpacks() {
  const auto stack = TRY(said(sandbox::Stacks(tools_.options.directory.parent_path() / "stacks")
                                  .root(job_.build.stack, sandbox::StackVariant::build)));
  bool detect = false;
  const auto buildpacks = TRY(buildpacks_to_try(detect));
  files_.prepare(tools_.releases.config(app_.id),
                 tools_.options.directory / "caches" / app_.id.value);
  files_.write_plan(buildpacks);
  const auto most_written = disk_limit(files_.path());
  const auto run = run_in_sandbox(
      tools_.spawner, tools_.clock, spec(stack, buildpacks, detect),
      {.time = tools_.options.time_limit,
       .called_off = job_.stopped.get(),
       .writes_to = files_.path(),
       .disk = most_written},
      [this](std::string_view bytes) { tools_.outputs.append(job_.build.output_stream, bytes); });
  files_.forget_config();
  if (!run)
    return refuse({"The build could not be started: " + run.error().message}, run.error().kind);

  switch (run->end) {
    case SandboxRun::End::called_off:
      return stopped();
    case SandboxRun::End::timed_out:
      return refuse({fmt::format(
          "The build took longer than {} minutes and was stopped.",
          std::chrono::ceil<std::chrono::minutes>(tools_.options.time_limit).count())});
    case SandboxRun::End::disk_full:
      return refuse({full_disk, free_some_space});
    case SandboxRun::End::wrote_too_much:
      return refuse({fmt::format("The build wrote more than {} to the disk and was stopped.",
                                 readable_size(most_written)),
                     "Find what writes so much above; what is only needed for a moment can be "
                     "deleted as the build goes on."});
    case SandboxRun::End::exited:
      break;
  }
  return chosen(*run, buildpacks, detect);
}

Result<Pipeline::Chosen> Pipeline::chosen(const SandboxRun& run,
                                          const std::vector<Buildpack>& tried, bool detect) {
  Chosen chosen;
  chosen.detected = detect;
  const auto notes = TRY(read_result("names")).value_or(std::string());
  for (const auto line : text::lines(notes)) {
    const auto [index, name] = text::split_once(line, '\t');
    const auto number = text::number(index);
    if (!number || *number < 0 || static_cast<std::size_t>(*number) >= tried.size()) continue;
    chosen.buildpacks.push_back(tried[static_cast<std::size_t>(*number)].name);
    chosen.names.push_back(text::printable(name.substr(0, 100)));
  }

  if (run.status == none_applies) {
    std::vector<std::string> names;
    for (const auto& each : tried) names.push_back(each.name);
    say(" !     No default language could be detected for this app.");
    say("\t\t\tHINT: This occurs when renga cannot detect the buildpack to use for this "
        "application automatically.");
    say("\t\t\tCommit the file that a language goes by (requirements.txt for Python) or a Procfile "
        "at the top of");
    say("\t\t\tthe app, or choose one of " + text::join(names, ", ") +
        ": heroku buildpacks:set NAME");
    return fail(Kind::invalid, "No default language could be detected for this app.");
  }
  if (run.status == no_submodule)
    return fail(Kind::invalid, "A submodule of the app could not be fetched.");
  if (run.status == refused || run.status == not_fetched) {
    const auto said_index = TRY(read_result("refused"));
    const auto index =
        text::number(text::trim(said_index ? *said_index : std::string())).value_or(-1);
    const auto name = index >= 0 && static_cast<std::size_t>(index) < tried.size()
                          ? tried[static_cast<std::size_t>(index)].shown()
                          : "the one that is set";
    if (run.status == not_fetched)
      return fail(Kind::invalid, "The buildpack " + name + " could not be had.");
    say("-----> App not compatible with buildpack: " + name);
    say("       Change it with heroku buildpacks:set NAME, or go back to detection with heroku "
        "buildpacks:clear");
    return fail(Kind::invalid, "The app is not compatible with the buildpack " + name + ".");
  }
  if (run.status == built && !chosen.names.empty()) return chosen;

  say("");
  if (run.out_of_memory)
    refuse({fmt::format("The build ran out of memory ({} MB).", build_limits.memory_bytes >> 20)});
  if (run.status == release_failed)
    return refuse({"Push rejected, the buildpack's bin/release failed."});
  return refuse(
      {chosen.names.empty()
           ? fmt::format(
                 "Push rejected, the build ended with status {} before a buildpack was found.",
                 run.status)
           : fmt::format("Push rejected, failed to compile {} app.", chosen.names.back())});
}

Result<std::optional<Procfile>> Pipeline::read_procfile() {
  const auto text = TRY(read_app("Procfile", Procfile::size_limit));
  if (!text) return std::nullopt;
  return TRY(said(Procfile::parse(*text)));
}

Result<releases::ProcessTypes> Pipeline::discover_process_types() {
  say("-----> Discovering process types");
  const auto procfile = TRY(read_procfile());
  const auto declared = procfile ? procfile->types : releases::ProcessTypes();
  const auto yaml = TRY(read_result("release"));
  auto types = TRY(said(default_process_types(yaml ? *yaml : std::string())));

  std::vector<std::string> defaults;
  for (const auto& [type, command] : types)
    if (!declared.contains(type)) defaults.push_back(type);
  for (const auto& line : process_type_lines(declared, defaults, procfile.has_value())) say(line);
  for (const auto& [type, command] : declared) types[type] = command;
  return types;
}

Result<releases::Slug> Pipeline::compress(const Chosen& chosen,
                                          const releases::ProcessTypes& types) {
  say("");
  say("-----> Compressing...");
  auto slug = tools_.slugs.create({.app = app_.id,
                                   .stack = job_.build.stack,
                                   .commit = job_.build.source_version,
                                   .commit_description = job_.build.version_description,
                                   .buildpack_provided_description = chosen.names.back(),
                                   .process_types = types},
                                  files_.app());
  if (!slug)
    return refuse({"The slug could not be made. " + slug.error().message,
                   "Request ID: " + job_.build.id.value},
                  slug.error().kind);
  say("       Done: " + readable_size(slug->size));
  return slug;
}

void Pipeline::launch(const Chosen& chosen, const releases::Slug& slug) {
  say("-----> Launching...");
  const auto description = deploy_description(job_.build.source_version);
  releases::Release release;
  {
    // All of it or nothing: a build has succeeded exactly when its release is there.
    auto transaction = tools_.database.begin();
    release = tools_.releases.append(app_.id, {.description = description,
                                               .user = job_.build.user,
                                               .slug = slug.id,
                                               .config = {},
                                               .deploy = true});
    tools_.records.succeed(job_.build.id, slug.id, release.id, chosen.buildpacks);
    tools_.apps.set_stack(app_.id, job_.build.stack);
    tools_.apps.set_built(app_.id, chosen.names.back(), slug.size);
    // Later builds use what was found now, whatever files the app has by then.
    if (chosen.detected) {
      const auto pinned = tools_.installations.replace(app_.id, chosen.buildpacks);
      if (!pinned) throw std::runtime_error("pin the buildpack: " + pinned.error().message);
    }
    transaction.commit();
  }
  if (release.status == releases::Status::pending)
    say(" !     Release command declared: this new release will not be available until the command "
        "succeeds.");
  say(fmt::format("       Released v{}", release.version));
  const auto host = tools_.domains.default_hostname(app_);
  say("       " + text::replace_all(tools_.options.web_url_format, "{host}", host) +
      " deployed to renga");
  say("");
  tools_.outputs.finish(job_.build.output_stream);

  log(fmt::format("{} by user {}", description, email_));
  log(fmt::format("Release v{} created by user {}", release.version, email_));
  log("Build succeeded");
  // The app is live; a cache that cannot be kept must not turn that into a failure.
  try {
    save_cache();
    if (release.version % collect_every == 0)
      tools_.slugs.collect_garbage();
    else
      tools_.slugs.drop_unused_directories();
  } catch (const std::exception& fault) {
    report("builds", fmt::format("the build cache of {} or its slugs were not looked after: {}",
                                 app_.name, fault.what()));
  }
}

void Pipeline::save_cache() {
  const auto saved = tools_.options.directory / "caches" / app_.id.value;
  if (fs::is_empty(files_.cache())) {
    fs::remove_all(saved);
    return;
  }
  const auto size = os::disk_use(files_.cache());
  if (size > largest_cache) {
    log(fmt::format("Build cache of {} was not kept: it is larger than {}", readable_size(size),
                    readable_size(largest_cache)));
    return;
  }
  fs::create_directories(saved.parent_path());
  // In one step, so that a crash leaves the old one or the new one; the old one goes with this
  // build's files.
  if (renameat2(AT_FDCWD, files_.cache().c_str(), AT_FDCWD, saved.c_str(), RENAME_EXCHANGE) != 0)
    fs::rename(files_.cache(), saved);
}

void Pipeline::end_as_failed(const std::string& why) {
  tools_.records.fail(job_.build.id, why);
  say("");
  say(" !     Push failed");
  tools_.outputs.finish(job_.build.output_stream);
  log("Build failed: " + why);
}

void Pipeline::say(std::string_view line) {
  tools_.outputs.append(job_.build.output_stream, std::string(line) + "\n");
}

std::unexpected<Error> Pipeline::refuse(const std::vector<std::string>& lines, Kind kind) {
  for (const auto& line : lines) say(" !     " + line);
  return fail(kind, lines.front());
}

template <class T>
Result<T> Pipeline::said(Result<T> result) {
  if (!result) return refuse({result.error().message}, result.error().kind);
  return result;
}

void Pipeline::log(std::string message) {
  tools_.logs.append(job_.build.app, {tools_.clock.now(), "app", "api", std::move(message)});
}

}  // namespace renga::builds
