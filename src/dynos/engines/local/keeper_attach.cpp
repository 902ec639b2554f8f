// Attached one-off dynos: they wait for their client, and do not outlive it for long.
#include <unistd.h>

#include <csignal>

#include "dynos/engines/local/boot.h"
#include "dynos/engines/local/keeper.h"

namespace renga::dynos {
namespace {
constexpr std::chrono::seconds client_limit{30};
constexpr std::chrono::seconds hang_up_every{5};
constexpr int most_hang_ups = 4;
constexpr std::uint32_t dyno_user = 1000;  // inside: the one that commands run as
}  // namespace

void Keeper::await_client(Kept& kept, const AppSpec& spec,
                          const std::map<std::string, std::string>& env) {
  kept.waiting = {spec, env, clock_.steady() + client_limit};
  say(kept.record, "Awaiting client");
}

Result<void> Keeper::attach(const Id<Dyno>& dyno, Streams streams) {
  const auto found = kept_.find(dyno);
  if (found == kept_.end() || !found->second.waiting || found->second.waiting->stopped || paused_)
    return fail(Kind::not_found, "No dyno waits for this client any more. Run the command again.");

  auto& kept = found->second;
  hand_over(kept, streams);

  const auto waiting = std::move(*kept.waiting);
  kept.waiting.reset();
  if (auto refused = launch(kept, waiting.spec, waiting.env, streams))
    return fail(Kind::unavailable, std::move(*refused));
  return {};
}

// What /dev/stdout leads to is opened anew, which needs to be the user's own.
void Keeper::hand_over(const Kept& kept, Streams streams) {
  const auto user = needs_.uid_base(kept.record.dyno.app) + dyno_user;
  for (const auto& stream : {streams.input, streams.output})
    if (stream && ::fchown(*stream, user, user) != 0) continue;  // then only that is refused
}

Result<void> Keeper::exec(const AppSpec& spec, const Id<Dyno>& dyno, const Exec& exec,
                          Streams streams, os::Fd& leash) {
  const auto found = kept_.find(dyno);
  if (found == kept_.end() || !found->second.running || found->second.gone ||
      found->second.life.stopping())
    return fail(Kind::not_found, "The dyno is not up. `ps` shows those that are.");
  auto& kept = found->second;
  if (kept.life.frozen()) wake(kept.record.dyno.app);
  hand_over(kept, streams);
  sandbox::Exec wanted;
  wanted.id = dyno.value;
  wanted.argv = boot_argv(exec.command);
  wanted.env = boot_environment(
      kept.record, options_.sizes->of(kept.record.dyno.size).memory_bytes(), spec.env, exec.env);
  wanted.forward_port = exec.forward_port;
  leash = TRY(sandboxes_.exec(wanted, *streams.input, *streams.output));
  return {};
}

void Keeper::give_up_waiting(Kept& kept) {
  const bool stopped = kept.waiting->stopped;
  kept.waiting.reset();
  obey(kept,
       kept.life.refused(stopped ? "Stopped before its client came"
                                 : "Error R13 (Attach error) -> Failed to attach to process"));
  over(kept);
}

void Keeper::client_left(const Id<Dyno>& dyno) {
  const auto found = kept_.find(dyno);
  if (found != kept_.end()) begin_hang_up(found->second);
}

void Keeper::begin_hang_up(Kept& kept) {
  if (!kept.running || kept.gone || kept.next_hang_up || kept.hang_ups > 0 || kept.life.stopping())
    return;
  say(kept.record, "Client connection closed. Sending SIGHUP to all processes");
  kept.next_hang_up = clock_.steady();
}

void Keeper::hang_up(Kept& kept, SteadyTime now) {
  kept.next_hang_up.reset();
  if (kept.life.stopping()) return;
  if (kept.hang_ups++ < most_hang_ups) {
    kept.next_hang_up = now + hang_up_every;
    sandboxes_.signal(kept.record.dyno.id.value, SIGHUP);
    return;
  }
  say(kept.record,
      "Error R16 (Detached) -> An attached process is not responding to SIGHUP after its external "
      "connection was closed.");
  stop(kept, Life::Stop::now);
}

}  // namespace renga::dynos
