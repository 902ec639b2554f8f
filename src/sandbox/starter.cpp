#include "sandbox/starter.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/fault.h"
#include "base/id.h"
#include "base/report.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/namespaces.h"
#include "sandbox/common.h"
#include "sandbox/init_plan.h"
#include "sandbox/joiner.h"
#include "sandbox/records.h"
#include "sandbox/syscall_policy.h"

namespace renga::sandbox {
namespace {

constexpr std::size_t most_id_maps = 64;
// Of the apps that have holders; the disk of a slug that is gone is free when it has left these.
constexpr std::size_t most_lowers = 4, most_stacks = 4;
constexpr std::uint32_t ids = 65'536;

// The directory of the log socket, for renga-init to connect through. renga-init is not the host's
// root, so it must be let in; a directory that it cannot pass would lose every line without a word.
os::Fd log_directory(const std::filesystem::path& socket) {
  auto directory = os::open_file(socket.parent_path(), O_PATH | O_DIRECTORY);
  struct stat info;
  if (fstat(directory.get(), &info) != 0) fault("look at " + socket.parent_path().string());
  if ((info.st_mode & S_IXOTH) == 0)
    fault(EACCES, "let sandboxes reach the log socket: " + socket.parent_path().string() +
                      " must be passable for all (mode 0711)");
  if (fstatat(directory.get(), socket.filename().c_str(), &info, 0) == 0 &&
      (info.st_mode & S_IWOTH) == 0)
    fault(EACCES, "let sandboxes reach the log socket: " + socket.string() +
                      " must be writable for all (mode 0666)");
  return directory;
}

// In this order, since a chroot is left for a namespace whose root is a mount.
PrivateMounts mounts_of_this_process() {
  os::ensure_user_namespaces();
  return PrivateMounts();
}

AppDirectory app_directory(const std::string& path) {
  struct stat info;
  if (path.empty()) return {};
  if (stat(path.c_str(), &info) != 0) fault("find the app in " + path);
  std::string state;
  for (const auto part : {static_cast<long>(info.st_dev), static_cast<long>(info.st_ino),
                          info.st_ctim.tv_sec, info.st_ctim.tv_nsec})
    state += std::to_string(part) + " ";
  return {path, std::move(state)};
}

os::Fd open_layer(const os::Fd& mount, const char* name) {
  auto opened = os::open_inside(mount.get(), name, O_PATH | O_DIRECTORY);
  if (!opened) fault(ENOENT, std::string("find an overlay's directory ") + name);
  return opened;
}

// An app knows its add-ons by its config vars.
bool knows_a_service(const Spec& spec) {
  return std::ranges::any_of(spec.env,
                             [](const auto& variable) { return names_service(variable.second); });
}

std::string plan_bytes(const Spec& spec, const std::string& filter) {
  namespace tag = init_plan;
  std::string plan;
  for (const auto& argument : spec.argv) add_record(plan, tag::argument, argument);
  for (const auto& [name, value] : spec.env) add_record(plan, tag::variable, name + "=" + value);
  add_record(plan, tag::working_directory, spec.working_directory);
  add_record(plan, tag::filter, filter);
  if (!spec.log_socket.empty()) {
    add_record(plan, tag::log_socket, std::filesystem::path(spec.log_socket).filename().string());
    add_record(plan, tag::log_greeting, spec.id + " " + spec.log_secret + "\n");
  }
  return plan;
}

}  // namespace

Starter::Starter(const SpawnerOptions& options, std::size_t holders)
    : options_(options),
      mounts_(mounts_of_this_process()),
      run_directory_(options.run_directory),
      cgroups_(os::CgroupTrees::find(), options.server_name),
      network_(options.server_name, options.run_directory.string(), options.purpose),
      init_(os::sealed_copy(options.init_program)),
      pool_(holders, {.make = [this] { return make_holder({}); },
                      .settle = [this](Held& held, const Home& home) { settle(held, home); },
                      .prepare =
                          [this](Held& held, const AppDirectory& app) {
                            held.overlay = app_mount(held, app);
                            held.app = app;
                          },
                      .discard = [this](Held& held) { discard(held); }}) {
  const auto policy = syscall_policy();
  filter_.assign(reinterpret_cast<const char*>(policy.data()), policy.size() * sizeof policy[0]);
  std::string waiting;
  add_record(waiting, init_plan::filter, filter_);
  waiting_plan_ = os::memory_file("renga-plan", waiting);
  run_directory_.prepare(mounts_);
  cgroups_.prepare();
  network_.prepare();
  dev_ = new_dev();
  sys_ = new_sys();
  // What was being made when an earlier spawner died: nothing runs in it, and nobody was told of
  // it.
  for (const auto& id : run_directory_.ids())
    if (!std::filesystem::exists(options.run_directory / id / "state")) clean_up(id);
  discarded_ = run_directory_.held();
}

const Starter::IdMaps& Starter::id_maps(std::uint32_t uid_base) {
  if (const auto found = id_maps_.find(uid_base); found != id_maps_.end()) return found->second;
  // They cost a process each to make; mounts that use one keep it alive without this table.
  if (id_maps_.size() >= most_id_maps) id_maps_.clear();
  return id_maps_
      .emplace(uid_base, IdMaps{os::id_map(uid_base, init_plan::user), os::id_map(uid_base, ids)})
      .first->second;
}

const Starter::Lower& Starter::lower_of(std::uint32_t uid_base, const AppDirectory& app) {
  const auto known = std::ranges::find_if(
      lowers_, [&](const Lower& lower) { return lower.uid_base == uid_base && lower.app == app; });
  if (known != lowers_.end()) {
    std::rotate(lowers_.begin(), known, known + 1);
    return lowers_.front();
  }
  // The end of a mount costs a grace period of the kernel, and one does for all dynos of a slug.
  auto mount = os::clone_mount(AT_FDCWD, app.path,
                               {.read_only = true, .user_namespace = id_maps(uid_base).app.get()});
  // Another release of the app comes in the place of the last one.
  const auto last = std::ranges::find(lowers_, uid_base, &Lower::uid_base);
  if (last != lowers_.end() || lowers_.size() >= most_lowers) {
    const auto gone = last != lowers_.end() ? last : lowers_.end() - 1;
    mounts_.detach(gone->attached_as);
    lowers_.erase(gone);
  }
  auto name = mounts_.attach(mount);
  return *lowers_.insert(lowers_.begin(), Lower{uid_base, app, std::move(mount), std::move(name)});
}

const Stack& Starter::stack_of(const Home& home) {
  const auto known = std::ranges::find_if(stacks_, [&](const KnownStack& stack) {
    return stack.name == home.stack && stack.state == home.stack_state;
  });
  if (known != stacks_.end()) {
    std::rotate(stacks_.begin(), known, known + 1);
    return stacks_.front().stack;
  }
  // As it was before it changed, nobody wants it any more.
  std::erase_if(stacks_, [&](const KnownStack& stack) { return stack.name == home.stack; });
  if (stacks_.size() >= most_stacks) stacks_.pop_back();
  return stacks_.insert(stacks_.begin(), {home.stack, home.stack_state, Stack(home.stack)})->stack;
}

os::Fd Starter::app_mount(const Held& held, const AppDirectory& app) {
  constexpr os::MountAttributes attributes = {.no_suid = true, .no_dev = true};
  const auto layers = run_directory_.layers(held.place, !held.app.path.empty());
  // What is made here belongs to the sandbox's user on disk already.
  if (app.path.empty()) return os::clone_mount(layers.upper.get(), "", attributes);
  return os::new_overlay(lower_of(held.home->uid_base, app).mount.get(), layers.upper.get(),
                         layers.work.get(), attributes);
}

Held Starter::make_holder(const std::string& address) {
  const auto place = new_uuid();
  run_directory_.hold(place);
  try {
    const auto group = cgroups_.create(place);
    Held held{place, {}, Holder::make(group, init_.get()), 0, {}, {}, {}};
    // Meanwhile it joins its control groups.
    held.address = network_.join(held.holder.process(), place, address);
    const auto pid = held.holder.process().pid;
    held.started = os::start_time(pid);
    run_directory_.note_process(place, pid, held.started, held.address);
    return held;
  } catch (const std::system_error&) {
    cgroups_.kill(place);
    discarded_.push_back(place);
    throw;
  }
}

void Starter::settle(Held& held, const Home& home) {
  run_directory_.hand_over(held.place, home.uid_base + init_plan::user);
  const int id_map = id_maps(home.uid_base).stack.get();
  auto parts = stack_of(home).parts(id_map);
  if (dev_)
    parts.push_back({"dev", os::clone_mount(dev_.get(), "", {.user_namespace = id_map}), "", true});
  if (sys_) parts.push_back({"sys", os::clone_mount(sys_.get(), "", {}), "", true});
  held.holder.settle(home.uid_base, parts, waiting_plan_.get());
  held.home = home;
}

void Starter::discard(Held& held) {
  held.holder.kill();
  discarded_.push_back(held.place);
}

bool Starter::tidy() {
  std::erase_if(discarded_, [this](const std::string& place) {
    cgroups_.kill(place);
    if (!cgroups_.remove(place)) return false;
    run_directory_.remove_held(place);
    return true;
  });
  return discarded_.empty();
}

void Starter::dismiss_holders() {
  pool_.dismiss();
  for (int tries = 0; !tidy() && tries < 400; ++tries) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) continue;  // or their groups stay busy
    poll(nullptr, 0, 5);
  }
}

// Of a lower directory's mount, and one in which `upper` and `work` are.
os::Fd Starter::overlay_of(const os::Fd& lower, const os::Fd& layers) {
  // As long as it takes to make it.
  const PrivateMounts::Attached below(mounts_, lower), above(mounts_, layers);
  return os::new_overlay(lower.get(), open_layer(layers, "upper").get(),
                         open_layer(layers, "work").get(), {.no_suid = true, .no_dev = true});
}

RootPlan Starter::furnishing(const Spec& spec, const std::string& address) {
  RootPlan root;
  root.host_name = spec.name;
  root.address = address;
  root.resolver_configuration = network_.resolver_configuration();
  root.memory_bytes = spec.limits.memory_bytes;
  for (const auto& mount : spec.mounts) {
    auto made = os::clone_mount(AT_FDCWD, mount.source,
                                {.read_only = !mount.writable,
                                 .no_suid = true,
                                 .no_dev = true,
                                 .user_namespace = id_maps(spec.uid_base).app.get()});
    if (mount.writable && !root.mounts.empty() && root.mounts.back().target == mount.target)
      root.mounts.back().mount = overlay_of(root.mounts.back().mount, made);
    else
      root.mounts.push_back({mount.target, std::move(made)});
  }
  return root;
}

Result<Running> Starter::launch(Held held, const AppDirectory& app, const Spec& spec,
                                std::optional<int> output, std::optional<int> input) {
  const auto& process = held.holder.process();
  try {
    HolderStart start;
    start.root = furnishing(spec, held.address);
    // Nothing is below a mount at /app, since the sandbox's list of mounts would show it.
    const bool mounted =
        std::ranges::any_of(spec.mounts, [](const Mount& mount) { return mount.target == "/app"; });
    if (mounted || held.app != app || app.path.empty()) held.overlay.close();
    if (!mounted && !held.overlay) held.overlay = app_mount(held, app);
    start.root.app = std::move(held.overlay);
    start.plan = os::memory_file("renga-plan", plan_bytes(spec, filter_));
    start.exit_file = run_directory_.claim(held.place, spec.id);
    if (!output && !spec.log_socket.empty()) start.log_directory = log_directory(spec.log_socket);
    start.input = input;
    start.output = output;
    cgroups_.limit(held.place, spec.limits);
    if (options_.purpose == Purpose::services || knows_a_service(spec))
      network_.shorten(held.place);
    const Running running{spec.id, process.pid, held.started, held.address};
    run_directory_.complete(spec.id);
    held.holder.start(start);
    if (in_storm_) refill_until_answered(held.holder);
    TRY(held.holder.wait_until_started());
    return running;
  } catch (const std::system_error& error) {
    // The process may know better what is wrong than who could not talk to it.
    if (error.code().value() == EPIPE) TRY(held.holder.wait_until_started());
    discard(held);  // no-op for what is claimed already, and so cleaned up by its id
    throw;
  }
}

// While one's command begins, sandboxes are made for those that come next: more than one, since
// what a new one does by itself takes about as long as making it.
void Starter::refill_until_answered(const Holder& starting) {
  try {
    while (!starting.has_answered() && refill()) continue;
  } catch (const std::system_error&) {
    // Whoever refills next says why.
  }
}

Result<Running> Starter::try_start(std::optional<Held> held, const Home& home,
                                   const AppDirectory& app, const Spec& spec,
                                   std::optional<int> output, std::optional<int> input) {
  try {
    if (!held) held = make_holder(spec.address);
    if (!held->home) {
      try {
        settle(*held, home);
      } catch (const std::system_error&) {
        discard(*held);
        throw;
      }
    }
    return launch(std::move(*held), app, spec, output, input);
  } catch (const std::system_error& error) {
    return fail(Kind::unavailable, error.what());
  }
}

Result<Running> Starter::start(const Spec& spec, std::optional<int> output,
                               std::optional<int> input) {
  if (run_directory_.running(spec.id))
    return fail(Kind::conflict, "Sandbox " + spec.id + " runs already.");
  if (run_directory_.knows(spec.id)) clean_up(spec.id);
  const Home home{spec.uid_base, spec.stack, stack_state(spec.stack)};
  AppDirectory app;
  try {
    app = app_directory(spec.app_directory);
  } catch (const std::system_error& error) {
    return fail(Kind::unavailable, spec.name + " cannot be started: " + error.what() + ".");
  }
  in_storm_ = pool_.wants_refill();
  auto held = spec.address.empty() ? pool_.take(home, app) : std::nullopt;
  const bool waited = held.has_value();
  auto started = try_start(std::move(held), home, app, spec, output, input);
  if (!started && waited) {
    // Something may have happened to it while it waited.
    clean_up(spec.id);
    started = try_start({}, home, app, spec, output, input);
  }
  if (!started) {
    clean_up(spec.id);
    started.error().message = spec.name + " cannot be started: " + started.error().message + ".";
  }
  return started;
}

void Starter::clean_up(const std::string& id) {
  kill(id);
  const auto place = run_directory_.place_of(id);
  // The kernel lets go of a group a moment after its last process.
  for (int tries = 0; !cgroups_.remove(place); ++tries) {
    if (tries == 200) {
      report("spawner", "A control group of sandbox " + id + " is still busy; it is left.");
      break;
    }
    poll(nullptr, 0, 5);
  }
  run_directory_.hide(id);
}

Result<void> Starter::exec(const Exec& exec, int input, int output, int leash) {
  const auto running = run_directory_.running(exec.id);
  if (!running) return fail(Kind::not_found, "The dyno does not run any more.");
  Spec spec;
  spec.argv = exec.argv;
  spec.env = exec.env;
  spec.working_directory = exec.working_directory;
  const auto place = run_directory_.place_of(exec.id);
  if (cgroups_.frozen(place)) return fail(Kind::unavailable, "The dyno is frozen.");
  auto plan = plan_bytes(spec, filter_);
  add_record(plan, init_plan::beside, "");
  if (exec.forward_port > 0)
    add_record(plan, init_plan::forward_port, std::to_string(exec.forward_port));
  auto joined = join_sandbox({.running = *running,
                              .group = cgroups_.open(place),
                              .plan = os::memory_file("renga-plan", plan),
                              .init = init_.get(),
                              .input = input,
                              .output = output,
                              .leash = leash});
  if (!joined)
    joined.error().message = "The command cannot be run: " + joined.error().message + ".";
  return joined;
}

void Starter::signal(const std::string& id, int number) {
  const auto running = run_directory_.running(id);
  if (!running) return;
  const auto place = run_directory_.place_of(id);
  for (const auto pid : cgroups_.processes(place)) {
    if (pid == running->init_pid) continue;
    const os::Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    // Looked up again by the descriptor's holder: the pid may be another's by now.
    if (pidfd && cgroups_.holds(place, pid))
      syscall(SYS_pidfd_send_signal, pidfd.get(), number, nullptr, 0);
  }
}

void Starter::kill(const std::string& id) {
  const auto place = run_directory_.place_of(id);
  cgroups_.kill(place);
  // The end of its first process is the end of a pid namespace, whatever the kernel's age.
  const auto state = run_directory_.state(id);
  if (!state) return;
  const os::Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, state->init_pid, 0)));
  if (pidfd && os::start_time(state->init_pid) == state->started)
    syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  // On v1 not even SIGKILL reaches what is frozen.
  if (cgroups_.frozen(place)) cgroups_.freeze(place, false);
}

bool Starter::remove(const std::string& id) {
  if (!cgroups_.remove(run_directory_.place_of(id))) return false;
  run_directory_.hide(id);
  return true;
}

bool Starter::leave() {
  for (const auto& id : run_directory_.ids())
    if (!cgroups_.processes(run_directory_.place_of(id)).empty()) return false;
  dismiss_holders();
  cgroups_.leave();
  network_.leave();
  return true;
}

}  // namespace renga::sandbox
