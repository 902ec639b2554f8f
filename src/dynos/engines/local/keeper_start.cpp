// How dynos begin: a row, a sandbox, a watch; and how they are found again.
#include <fmt/format.h>

#include <map>

#include "base/report.h"
#include "dynos/engines/local/boot.h"
#include "dynos/engines/local/keeper.h"
#include "sandbox/stacks.h"

namespace renga::dynos {
namespace {

constexpr std::chrono::milliseconds first_probe{2};

Life::Kind kind_of(const Record& record) {
  if (record.one_off) return Life::Kind::one_off;
  return record.dyno.type == "web" ? Life::Kind::web : Life::Kind::other;
}

std::string refusal(const Error& error, std::string_view what) {
  return fmt::format("Error {} -> {}", what, error.message);
}

}  // namespace

void Keeper::start(const AppSpec& spec, const ProcessSpec& process, const Start& wanted) {
  auto record = new_record(Id<Dyno>::create(), spec, process.type, wanted.number, process.command,
                           process.size, clock_.now());
  record.crashes = wanted.crashes;

  auto transaction = records_.begin();
  for (const auto& replaced : wanted.replaces) records_.erase(replaced);
  records_.insert(record);
  transaction.commit();

  auto before = State::crashed;
  for (const auto& replaced : wanted.replaces) {
    const auto found = kept_.find(replaced);
    if (found == kept_.end()) continue;
    auto gone = found->second.record;
    before = gone.dyno.state;
    kept_.erase(found);
    gone.dyno.state = State::down;
    tell(gone);
  }
  if (!wanted.replaces.empty())
    say(record, fmt::format("State changed from {} to starting", name_of(before)));

  auto& kept = kept_.try_emplace(record.dyno.id, Kept{record, Life(kind_of(record), limits())})
                   .first->second;
  tell(record);
  launch(kept, spec, {});
}

Result<void> Keeper::run(const AppSpec& spec, const Record& record,
                         const std::map<std::string, std::string>& env) {
  if (kept_.contains(record.dyno.id)) return {};  // asked for twice at once
  auto& kept = kept_.try_emplace(record.dyno.id, Kept{record, Life(Life::Kind::one_off, limits())})
                   .first->second;
  tell(record);
  if (record.attached) {
    await_client(kept, spec, env);
    return {};
  }
  if (auto refused = launch(kept, spec, env)) return fail(Kind::unavailable, std::move(*refused));
  return {};
}

// The reason when it could not be launched; it has crashed (or, a one-off, ended) then.
std::optional<std::string> Keeper::launch(Kept& kept, const AppSpec& spec,
                                          const std::map<std::string, std::string>& env,
                                          Streams streams) {
  const auto& record = kept.record;
  const auto id = record.dyno.id.value;
  unpublished_.insert(record.dyno.app);
  say(record, fmt::format("Starting process with command `{}`", shown_command(record)));

  const auto refuse = [&](std::string why) {
    obey(kept, kept.life.refused(why));
    kept.gone = false;
    if (kept.life.state() == State::crashed)
      crashed(kept, Duration(0));
    else
      over(kept);
    return why;
  };
  try {
    const auto directory = needs_.slug_directory(*spec.slug);
    if (!directory) return refuse(refusal(directory.error(), "R17 (Checksum error)"));

    // DIR/stacks, since the socket is DIR/run/dynos/log.sock.
    const auto data = options_.log_socket.parent_path().parent_path().parent_path();
    const auto stack =
        sandbox::Stacks(data / "stacks").root(spec.stack, sandbox::StackVariant::run);
    if (!stack) return refuse(refusal(stack.error(), "R99 (Platform error)"));

    sandbox::Spec wanted;
    wanted.id = id;
    wanted.name = record.dyno.name();
    wanted.stack = *stack;
    wanted.uid_base = needs_.uid_base(record.dyno.app);
    wanted.app_directory = *directory;
    wanted.argv = boot_argv(record.dyno.command);
    const auto& size = options_.sizes->of(record.dyno.size);
    wanted.env = boot_environment(record, size.memory_bytes(), spec.env, env);
    wanted.limits = size.limits();
    wanted.log_socket = options_.log_socket.string();
    wanted.log_secret = record.log_secret;

    const auto running = sandboxes_.start(wanted, streams);
    if (!running) return refuse(refusal(running.error(), "R99 (Platform error)"));
    run_now(kept, *running);
    return std::nullopt;
  } catch (const std::exception& trouble) {
    // The spawner may have died with the sandbox half made, or the store with the sandbox running:
    // nothing of it may stay behind the next attempt.
    report("dynos", fmt::format("starting dyno {}: {}", id, trouble.what()));
    leftovers_[id] = clock_.steady();
    kept.running.reset();
    kept.watch.close();
    return refuse("Error R99 (Platform error) -> The dyno could not be started.");
  }
}

// Its sandbox runs: watched from now on.
void Keeper::run_now(Kept& kept, const sandbox::Running& running) {
  const auto now = clock_.steady();
  kept.running = running;
  kept.watch = sandboxes_.watch(running);
  kept.gone = !kept.watch;
  memory_watch_.watch(kept.record.dyno.id, sandboxes_.memory_events(running.id));
  needs_.watch_disk(running.id, options_.sizes->of(kept.record.dyno.size));
  kept.probe_gap = first_probe;
  kept.next_probe = now + first_probe;
  kept.next_memory = next_look_at_memory(now);
  if (kept.record.launched) {
    // Told of by the control before this one.
    if (const auto memory = sandboxes_.memory(running.id))
      kept.memory_kills = memory->out_of_memory_kills;
    return;
  }

  kept.launched_at = now;
  auto orders = kept.life.launched(now);
  kept.record.launched = true;
  orders.changed = true;
  obey(kept, orders);
}

void Keeper::recover() {
  std::map<std::string, sandbox::Running> running;
  for (auto& sandbox : sandboxes_.running()) running.emplace(sandbox.id, sandbox);

  std::set<std::string> strays;
  for (const auto& id : sandboxes_.ids()) strays.insert(id);
  for (const auto& [id, sandbox] : running) strays.insert(id);

  for (auto& record : records_.all()) {
    const auto id = record.dyno.id.value;
    const auto sandbox = running.find(id);
    if (record.cleared) continue;
    strays.erase(id);  // what lives on although its row says that it is over is removed by adopt()
    adopt(std::move(record), sandbox == running.end() ? nullptr : &sandbox->second);
  }
  for (const auto& id : strays) {
    if (options_.is_foreign(id)) continue;
    report("dynos", "removing sandbox " + id + ", which belongs to no dyno");
    clear(id);
  }

  std::set<Id<apps::App>> apps;
  for (const auto& [id, kept] : kept_) apps.insert(kept.record.dyno.app);
  for (const auto& app : apps) dirty_.insert(app);
  for (const auto& app : apps) publish(app);
}

void Keeper::adopt(Record record, const sandbox::Running* running) {
  const auto& dyno = record.dyno;
  const auto keep = [&](Life life) -> Kept& {
    const auto id = record.dyno.id;
    return kept_.try_emplace(id, Kept{std::move(record), life}).first->second;
  };
  const auto resume = [&] {
    return Life::resumed(kind_of(record), limits(), dyno.state, clock_.now() - dyno.state_since,
                         clock_.steady());
  };

  if (record.ended_at) return over(keep(resume()));
  if (dyno.state == State::crashed) {
    clear(dyno.id.value);
    keep(resume());
    return;
  }
  if (dyno.state == State::idle && !running) {
    clear(dyno.id.value);
    keep(Life::sleeping(kind_of(record), limits()));
    return;
  }
  if (running) {
    auto& kept = keep(record.launched ? resume() : Life(kind_of(record), limits()));
    run_now(kept, *running);
    // The row was written, and perhaps not yet obeyed.
    if (kept.life.frozen())
      kept.frozen = sandboxes_.freeze(kept.record.dyno.id.value);
    else if (size_sleeps(kept.record.dyno.size))
      sandboxes_.thaw(kept.record.dyno.id.value);
    if (kept.record.attached) begin_hang_up(kept);  // its terminal went with control
    return;
  }

  // No process is left. One that never had any, or lost it with the machine, did not crash: it is
  // started again with the past that it had. A one-off is never started again by itself.
  const bool same_boot = record.boot == boot_id_;
  const bool left_word = sandboxes_.exit_of(dyno.id.value).has_value();
  if (!left_word && (!record.launched || !same_boot) && dyno.state != State::down) {
    if (record.attached && !record.launched) {
      say(record, "Error R13 (Attach error) -> Failed to attach to process");
      return over(keep(resume()));
    }
    if (record.one_off && !record.launched && same_boot) {
      clear(dyno.id.value);  // run() had not answered yet: nobody counts on it
      return records_.erase(dyno.id);
    }
    if (!record.one_off) {
      clear(dyno.id.value);
      record.dyno.state = State::crashed;
      record.retry_at = clock_.now();
      records_.update(record);
      keep(resume());
      return;
    }
  }
  keep(resume()).gone = true;
}

}  // namespace renga::dynos
