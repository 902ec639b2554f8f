// The dashboard of the add-on `scheduler`: an app's scheduled jobs, in a browser, as Heroku's
// Scheduler has them. Plain forms; whoever has the page's address may use them.
#include <fmt/format.h>

#include "api/pages.h"
#include "base/text.h"

namespace renga::api {
namespace {

constexpr std::string_view policy = "style-src 'unsafe-inline'; form-action 'self'";
constexpr std::string_view style =
    "<style>body{font:16px sans-serif;margin:3em;max-width:60em}table{border-collapse:collapse;"
    "width:100%}td,th{text-align:left;padding:.4em .8em .4em 0;border-bottom:1px solid #ddd}"
    "form{display:inline}label{display:block;margin:.6em 0}.trouble{color:#a00}code{background:"
    "#f4f4f4}</style>\n";

std::string last_run_of(const std::vector<scheduler::Run>& runs) {
  if (runs.empty()) return "never ran";
  const auto& run = runs.front();
  auto text = std::string(name_of(run.state));
  if (run.exit_status && *run.exit_status != 0) text += fmt::format(" ({})", *run.exit_status);
  return text + ", " + rfc3339(run.started_at.value_or(run.created_at));
}

std::string button(std::string_view what, const scheduler::Job& job) {
  return fmt::format(
      "<form method=post><input type=hidden name=job value=\"{}\">"
      "<button name=do value={}>{}</button></form> ",
      html(job.id.value), what, what == "run" ? "Run now" : "Remove");
}

std::string row_of(Call& call, const scheduler::Job& job) {
  return fmt::format(
      "<tr><td><code>{}</code><td>{} {}<td>{}<td>{}<td>{}{}\n", html(job.command),
      html(job.schedule), html(job.time_zone), job.next_at ? rfc3339(*job.next_at) : "never",
      html(last_run_of(call.services.jobs.runs(job))), button("run", job), button("remove", job));
}

constexpr std::string_view new_job =
    "<h2>Add a job</h2>\n<form method=post>\n"
    "<label>Command <input name=command size=50 required></label>\n"
    "<label>Schedule <input name=schedule size=30 value=\"every 10 minutes\" required> "
    "every 10 minutes, hourly at 20, daily at 8:30, or cron's five fields</label>\n"
    "<label>Time zone <input name=time_zone value=UTC required></label>\n"
    "<label>While its last run still goes <select name=overlap><option value=skip>leave it out"
    "<option value=queue>wait<option value=allow>run beside it</select></label>\n"
    "<button name=do value=add>Add job</button>\n</form>\n";

Result<void> change(Call& call, const SignedOn& who, std::map<std::string, std::string> form) {
  auto& jobs = call.services.jobs;
  const auto& app = who.context;
  if (form["do"] == "add") {
    scheduler::JobChange wanted;
    wanted.command = form["command"];
    wanted.schedule = form["schedule"];
    wanted.time_zone = form["time_zone"];
    wanted.overlap = TRY(scheduler::overlap_named(form["overlap"]));
    TRY(jobs.add(app.id, wanted));
    return {};
  }
  const auto job = TRY(jobs.find(app.id, form["job"]));
  if (form["do"] == "run") {
    jobs.run_now(job);
    return {};
  }
  if (form["do"] != "remove") return fail(Kind::invalid, "This form asks for nothing.");
  const auto runs = jobs.runs(job);
  jobs.remove(job);
  for (const auto& run : runs)
    if (!run.output.empty()) call.services.outputs.remove(run.output);
  return {};
}

}  // namespace

Result<Answer> scheduler_page(Call& call, const SignedOn& who, std::string_view trouble) {
  const auto jobs = call.services.jobs.all(who.context.id);
  auto body = fmt::format("{}<h1>Scheduled jobs of {}</h1>\n", style, html(who.context.name));
  if (!trouble.empty()) body += fmt::format("<p class=trouble>{}</p>\n", html(trouble));
  if (jobs.empty()) body += "<p>There are none yet.</p>\n";
  if (!jobs.empty()) body += "<table><tr><th>Command<th>Schedule<th>Next<th>Last run<th>\n";
  for (const auto& job : jobs) body += row_of(call, job);
  if (!jobs.empty()) body += "</table>\n";
  body += new_job;
  body +=
      "<p>In a shell: <code>renga schedule</code>, <code>renga schedule:add</code>, "
      "<code>renga schedule:history</code>. In app.json: <code>\"cron\"</code>.</p>\n";
  return page(trouble.empty() ? 200 : 422, body, policy);
}

Result<Answer> scheduler_change(Call& call, const SignedOn& who) {
  auto form = text::query(call.request.body);
  const auto changed = change(call, who, std::move(form));
  if (!changed) return scheduler_page(call, who, changed.error().message);
  // So that a reload asks for nothing twice.
  auto answer = page(303, "");
  answer.whole->headers.set("Location", call.request.path);
  return answer;
}

}  // namespace renga::api
