// Scheduled job: a command that runs at set times, and its runs. Heroku has these in its Scheduler
// add-on, without an API; these resources are renga's own.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/body.h"
#include "api/handlers.h"
#include "api/objects.h"
#include "api/small_lists.h"

namespace renga::api {
namespace {

json::value time_or_null(const std::optional<Time>& time) {
  return time ? json::value(rfc3339(*time)) : json::value(nullptr);
}

json::object to_json(const apps::App& app, const scheduler::Job& job) {
  return {
      {"app", app_ref(app)},
      {"command", job.command},
      {"created_at", rfc3339(job.created_at)},
      {"id", job.id.value},
      {"next_run_at", time_or_null(job.next_at)},
      {"overlap", scheduler::name_of(job.overlap)},
      {"schedule", job.schedule},
      {"size", job.size},
      {"time_zone", job.time_zone},
      {"updated_at", rfc3339(job.updated_at)},
  };
}

json::object to_json(const Call& call, const scheduler::Run& run) {
  return {
      {"created_at", rfc3339(run.created_at)},
      {"due_at", time_or_null(run.due_at)},
      {"dyno", run.dyno_name.empty()
                   ? json::value(nullptr)
                   : json::value(json::object{{"id", run.dyno.value}, {"name", run.dyno_name}})},
      {"ended_at", time_or_null(run.ended_at)},
      {"exit_status", run.exit_status ? json::value(*run.exit_status) : json::value(nullptr)},
      {"id", run.id.value},
      {"job", json::object{{"id", run.job.value}}},
      {"message", text_or_null(run.message)},
      {"output_stream_url",
       run.output.empty() ? json::value(nullptr) : json::value(call.url("/streams/" + run.output))},
      {"started_at", time_or_null(run.started_at)},
      {"state", scheduler::name_of(run.state)},
  };
}

Result<scheduler::JobChange> change_in(const json::object& body) {
  scheduler::JobChange change;
  change.command = TRY(text_in(body, "command"));
  change.schedule = TRY(text_in(body, "schedule"));
  change.time_zone = TRY(text_in(body, "time_zone"));
  change.size = TRY(identity_in(body, "size"));
  if (const auto overlap = TRY(text_in(body, "overlap")))
    change.overlap = TRY(scheduler::overlap_named(*overlap));
  return change;
}

Result<scheduler::Job> job_of(Call& call, const apps::App& app) {
  return call.services.jobs.find(app.id, call.param("job"));
}

}  // namespace

Result<Answer> scheduled_job_create(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  TRY(required_text(body, "command"));
  TRY(required_text(body, "schedule"));
  const auto job = TRY(call.services.jobs.add(app.id, TRY(change_in(body))));
  call.log(app.id, fmt::format("Schedule `{}` ({} {})", job.command, job.schedule, job.time_zone));
  return created(to_json(app, job));
}

Result<Answer> scheduled_job_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  json::array array;
  for (const auto& job : call.services.jobs.all(app.id)) array.push_back(to_json(app, job));
  return small_list(call, std::move(array), {"id", "created_at", "updated_at"});
}

Result<Answer> scheduled_job_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  return ok(to_json(app, TRY(job_of(call, app))));
}

Result<Answer> scheduled_job_update(Call& call) {
  const auto body = TRY(call.body());
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto job = TRY(job_of(call, app));
  return ok(to_json(app, TRY(call.services.jobs.change(job, TRY(change_in(body))))));
}

Result<Answer> scheduled_job_delete(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto job = TRY(job_of(call, app));
  const auto runs = call.services.jobs.runs(job);
  call.services.jobs.remove(job);
  for (const auto& run : runs)
    if (!run.output.empty()) call.services.outputs.remove(run.output);
  call.log(app.id, fmt::format("Unschedule `{}`", job.command));
  return ok(to_json(app, job));
}

Result<Answer> scheduled_run_create(Call& call) {
  const auto app = TRY(call.app(apps::Permission::operate));
  const auto job = TRY(job_of(call, app));
  auto answer = created(to_json(call, call.services.jobs.run_now(job)));
  answer.status = 202;
  return answer;
}

Result<Answer> scheduled_run_list(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  json::array array;
  for (const auto& run : call.services.jobs.runs(TRY(job_of(call, app))))
    array.push_back(to_json(call, run));
  return small_list(call, std::move(array), {"id"});
}

Result<Answer> scheduled_run_info(Call& call) {
  const auto app = TRY(call.app(apps::Permission::view));
  const auto job = TRY(job_of(call, app));
  return ok(to_json(call, TRY(call.services.jobs.find_run(job, call.param("run")))));
}

}  // namespace renga::api
