// The dashboard of the add-on `scheduler`: an app's scheduled jobs, in a browser, as Heroku's
// Scheduler has them. Plain forms; whoever has the page's address may use them.
#include <fmt/format.h>

#include <algorithm>

#include "api/pages.h"
#include "base/text.h"
#include "dynos/sizes.h"

namespace renga::api {
namespace {

constexpr std::string_view policy = "style-src 'unsafe-inline'; form-action 'self'";
constexpr std::size_t most_runs = 10;  // shown of one job
constexpr std::string_view style =
    "<style>body{font:16px sans-serif;margin:3em;max-width:70em}table{border-collapse:collapse;"
    "width:100%}td,th{text-align:left;vertical-align:top;padding:.4em .8em .4em 0;border-bottom:"
    "1px solid #ddd}form{display:inline}label{display:block;margin:.6em 0}li{margin:.2em 0}"
    ".trouble{color:#a00}code{background:#f4f4f4}</style>\n";

std::string line_of(const scheduler::Run& run) {
  auto text = fmt::format("{}, {}", rfc3339(run.started_at.value_or(run.created_at)),
                          scheduler::name_of(run.state));
  if (run.exit_status) text += fmt::format(", exit status {}", *run.exit_status);
  if (!run.message.empty()) text += ": " + html(run.message);
  if (!run.output.empty())
    text += fmt::format(" <a href=\"/streams/{}\">output</a>", html(run.output));
  return text;
}

std::string history_of(Call& call, const scheduler::Job& job) {
  const auto runs = call.services.jobs.runs(job);
  if (runs.empty()) return "never ran";
  if (runs.size() == 1) return line_of(runs.front());
  auto text = fmt::format("<details><summary>{}</summary><ul>", line_of(runs.front()));
  for (std::size_t i = 1; i < std::min(runs.size(), most_runs); ++i)
    text += "<li>" + line_of(runs[i]);
  return text + "</ul></details>";
}

std::string button(std::string_view what, const scheduler::Job& job) {
  return fmt::format(
      "<form method=post><input type=hidden name=job value=\"{}\">"
      "<button name=do value={}>{}</button></form> ",
      html(job.id.value), what, what == "run" ? "Run now" : "Remove");
}

std::string row_of(Call& call, const scheduler::Job& job) {
  return fmt::format("<tr><td><code>{}</code><td>{} {}<td>{}<td>{}<td>{}<td>{}{}\n",
                     html(job.command), html(job.schedule), html(job.time_zone), html(job.size),
                     job.next_at ? rfc3339(*job.next_at) : "never", history_of(call, job),
                     button("run", job), button("remove", job));
}

std::string new_job(const dynos::Sizes& there) {
  std::string sizes;
  for (const auto& size : there.all())
    sizes +=
        fmt::format("<option{}>{}", &size == &there.standard() ? " selected" : "", html(size.name));
  return fmt::format(
      "<h2>Add a job</h2>\n<form method=post>\n"
      "<label>Command <input name=command size=50 required></label>\n"
      "<label>Schedule <input name=schedule size=30 value=\"every 10 minutes\" required> "
      "every 10 minutes, hourly at 20, daily at 8:30, or cron's five fields</label>\n"
      "<label>Time zone <input name=time_zone value=UTC required></label>\n"
      "<label>Dyno size <select name=size>{}</select></label>\n"
      "<label>While its last run still goes <select name=overlap><option value=skip>leave it out"
      "<option value=queue>wait<option value=allow>run beside it</select></label>\n"
      "<button name=do value=add>Add job</button>\n</form>\n",
      sizes);
}

void note(Call& call, const SignedOn& who, std::string_view what) {
  call.services.logs.append(who.context.id, {call.services.clock.now(), "app", "api",
                                             fmt::format("{} by user {}", what, who.user.email)});
}

Result<void> change(Call& call, const SignedOn& who, std::map<std::string, std::string> form) {
  auto& jobs = call.services.jobs;
  const auto& app = who.context;
  if (form["do"] == "add") {
    scheduler::JobChange wanted;
    wanted.command = form["command"];
    wanted.schedule = form["schedule"];
    if (form.contains("time_zone")) wanted.time_zone = form["time_zone"];
    if (form.contains("size")) wanted.size = form["size"];
    if (form.contains("overlap")) wanted.overlap = TRY(scheduler::overlap_named(form["overlap"]));
    const auto job = TRY(jobs.add(app.id, wanted));
    note(call, who, fmt::format("Schedule `{}` ({} {})", job.command, job.schedule, job.time_zone));
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
  note(call, who, fmt::format("Unschedule `{}`", job.command));
  return {};
}

}  // namespace

Answer scheduler_page(Call& call, const SignedOn& who, std::string_view trouble) {
  const auto jobs = call.services.jobs.all(who.context.id);
  auto body = fmt::format("{}<h1>Scheduled jobs of {}</h1>\n", style, html(who.context.name));
  if (!trouble.empty()) body += fmt::format("<p class=trouble>{}</p>\n", html(trouble));
  if (jobs.empty()) {
    body += "<p>There are none yet.</p>\n";
  } else {
    body +=
        "<table><tr><th>Command<th>Schedule<th>Dyno size<th>Next<th>Runs, the last one first<th>\n";
    for (const auto& job : jobs) body += row_of(call, job);
    body += "</table>\n";
  }
  body += new_job(call.services.formation.sizes());
  body +=
      "<p>In a shell: <code>renga schedule</code>, <code>renga schedule:add</code>, "
      "<code>renga schedule:history</code>. In app.json: <code>\"cron\"</code>.</p>\n";
  return page(trouble.empty() ? 200 : 422, body, policy);
}

Answer scheduler_change(Call& call, const SignedOn& who) {
  const auto changed = change(call, who, text::query(call.request.body));
  if (!changed) return scheduler_page(call, who, changed.error().message);
  // So that a reload asks for nothing twice.
  auto answer = page(303, "");
  answer.whole->headers.set("Location", call.request.path);
  return answer;
}

}  // namespace renga::api
