#include "dynos/release_phase.h"

#include <fmt/format.h>

namespace renga::dynos {

using releases::Release;
using releases::Status;

void ReleasePhase::advance(const apps::App& app, std::vector<Release> pending,
                           const std::function<AppSpec(const Release&)>& spec_of) {
  for (const auto& release : pending)
    if (!finished(app, release, spec_of)) return;
}

// False while its command runs.
bool ReleasePhase::finished(const apps::App& app, const Release& release,
                            const std::function<AppSpec(const Release&)>& spec_of) {
  const auto slug =
      release.slug ? slugs_.find(*release.slug) : fail(Kind::not_found, "The release has no slug.");
  const Id<Dyno> id{release.id.value};
  if (const auto dyno = engine_.one_off(id)) {
    if (!dyno->exit_status) return false;
    finish(app, release, *dyno->exit_status == 0 ? Status::succeeded : Status::failed,
           output_stream_of(release));
    return true;
  }
  if (slug && !slug->process_types.contains("release")) {
    releases_.finish(release.id, Status::succeeded);
    return true;
  }

  const auto stream = output_stream_of(release);
  const auto who = accounts_.find(release.user);
  logs_.append(app.id, {clock_.now(), "app", "api",
                        fmt::format("Running release v{} commands by user {}", release.version,
                                    who ? who->email : "unknown")});
  const auto refuse = [&](const Error& error) {
    outputs_.append(stream, error.message + "\n");
    finish(app, release, Status::failed, stream);
    return true;
  };
  if (!slug) return refuse(slug.error());

  OneOff command;
  command.id = id;
  command.type = "release";
  command.command = slug->process_types.at("release");
  if (const auto process = formation_.find(app.id, "release")) command.size = process->size;
  command.time_to_live = limit;
  command.output_stream = stream;
  const auto dyno = engine_.run(spec_of(release), command);
  if (dyno) return false;
  // An engine that is overloaded, or on its way out with the server, has not taken it: another
  // round asks again. One that took it and could not start it keeps it as ended.
  const auto taken = engine_.one_off(id);
  if (dyno.error().kind == Kind::unavailable && !(taken && taken->exit_status)) return false;
  return refuse(dyno.error());
}

// The stream is on the release before the command runs, so that a push can follow from the first
// byte.
std::string ReleasePhase::output_stream_of(const Release& release) {
  const auto now = releases_.find(release.id);
  if (now && now->output_stream) return *now->output_stream;
  const auto stream = outputs_.create();
  releases_.set_output_stream(release.id, stream);
  return stream;
}

void ReleasePhase::finish(const apps::App& app, const Release& release, Status status,
                          const std::string& output_stream) {
  outputs_.finish(output_stream);
  if (status == Status::failed)
    logs_.append(app.id, {clock_.now(), "app", "api",
                          fmt::format("Release v{} command failed", release.version)});
  releases_.finish(release.id, status);
}

}  // namespace renga::dynos
