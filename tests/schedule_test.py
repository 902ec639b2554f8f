#!/usr/bin/env python3
"""Scheduled jobs: added, run, listed, kept through a kill of control, and refused when they make no sense."""

import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import harness
from harness import PATIENCE, RENGA, StoryTest, exits, needs_root, wait_until


@needs_root
class Schedule(StoryTest):
    def setUp(self):
        super().setUp()
        self.create("clock")
        self.server.push(self.repository({"Procfile": "worker: sleep 1000\n", "report": "echo report $1; exit 3\n"}), "clock")
        self.cli_environment = dict(os.environ, RENGA_DATA=str(self.server.data), RENGA_APP="clock")

    def renga(self, *words, status=0):
        done = subprocess.run([RENGA, *words], capture_output=True, text=True, timeout=PATIENCE, env=self.cli_environment)
        self.assertIn(done.returncode, exits(status), done.stdout + done.stderr)
        return done.stdout + done.stderr

    def jobs(self):
        return self.server.api("GET", "/apps/clock/scheduled-jobs")

    def runs(self, job):
        return self.server.api("GET", f"/apps/clock/scheduled-jobs/{job['id']}/runs")

    def ended(self, job, count=1):
        wait_until(lambda: sum(run["ended_at"] is not None for run in self.runs(job)) >= count, what="the runs' end")
        return self.runs(job)

    def test_a_job(self):
        added = self.renga("schedule:add", "daily at 8:30", "--zone", "Europe/Berlin", "--overlap", "queue", "--",
                           "sh", "report", "x y")
        self.assertRegex(added, r"Scheduling `sh report 'x y'` on clock... done, [0-9a-f]{8}, next \S+T0[67]:30:00Z")
        job = self.jobs()[0]
        self.assertIn(job["id"][:8], self.renga("schedule"))
        self.renga("schedule:run", job["id"][:8])
        run = self.ended(job)[0]
        self.assertEqual((run["state"], run["exit_status"], run["due_at"]), ("failed", 3, None))
        self.assertRegex(run["dyno"]["name"], r"^scheduler\.\d{4}$")
        self.assertRegex(self.renga("schedule:history", job["id"]), r"by hand +failed \(3\) +scheduler\.\d{4}")
        self.assertEqual(self.renga("schedule:output", job["id"][:8]), "report x y\n")
        self.assertIn(f"app[{run['dyno']['name']}]: report x y", self.server.logs("clock"))
        self.renga("schedule:remove", job["id"][:8])
        self.assertEqual(self.jobs(), [])
        self.assertIn("Couldn't find the job", self.renga("schedule:remove", job["id"], status=1))

    def test_jobs_of_app_json_follow_the_deploys(self):
        app = self.server.base / "repositories/app"
        commands = lambda: sorted(job["command"] for job in self.jobs())
        self.renga("schedule:add", "@daily", "--", "by-hand")
        cron = [{"command": "./one", "schedule": "every 10 minutes"}, {"command": "./two", "schedule": "@daily"}]
        harness.commit(app, {"app.json": json.dumps({"cron": cron})})
        self.server.push(app, "clock")
        wait_until(lambda: commands() == ["./one", "./two", "by-hand"], what="the jobs of app.json")
        kept = {job["command"]: job["id"] for job in self.jobs()}
        harness.commit(app, {"app.json": json.dumps({"cron": cron[1:]})})
        self.server.push(app, "clock")
        wait_until(lambda: commands() == ["./two", "by-hand"], what="one job less")
        self.assertEqual({job["command"]: job["id"] for job in self.jobs()}, {name: kept[name] for name in commands()})
        harness.commit(app, {"app.json": json.dumps({"cron": [{"command": "x", "schedule": "61 * * * *"}]})})
        self.server.push(app, "clock")
        wait_until(lambda: "The cron of app.json is not taken" in self.server.logs("clock"), what="the refusal")
        self.assertEqual(commands(), ["./two", "by-hand"])

    def test_as_an_addon(self):
        """The add-on's page lists, adds, runs and removes jobs; they go with the add-on, which goes when it is confirmed."""
        self.assertIn("scheduler:standard", self.renga("addons:create", "scheduler:standard"))
        self.assertIn("one an app", self.renga("addons:create", "scheduler:standard", status=1))
        path = re.search(r"http://[^/]+(/sso/\S+)", self.renga("addons:open", "scheduler")).group(1)

        def page(**form):
            data = urllib.parse.urlencode(form).encode() if form else None
            with urllib.request.urlopen(f"http://{self.server.listen}{path}", data, 60) as answer:
                return answer.read().decode()

        self.assertIn("There are none yet.", page())
        self.assertIn("&lt;b&gt;", page(do="add", command="sh report '<b>'", schedule="daily at 8:30"))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            page(do="add", command="x", schedule="61 * * * *")
        with refused.exception as answer:
            self.assertEqual(answer.code, 422)
            self.assertIn("minute cannot be", answer.read().decode())
        job = self.jobs()[0]
        self.assertIn("sh report", self.renga("schedule"))
        page(do="run", job=job["id"])
        self.ended(job)
        self.assertIn("failed, exit status 3", page())
        output = re.search(r'href="(/streams/[^"]+)"', page()).group(1)
        with urllib.request.urlopen(f"http://{self.server.listen}{output}", timeout=PATIENCE) as answer:
            self.assertEqual(answer.read().decode(), "report <b>\n")
        page(do="add", command="true", schedule="hourly")
        page(do="remove", job=job["id"])
        self.assertEqual([job["command"] for job in self.jobs()], ["true"])

        self.renga("addons:destroy", "scheduler", "--confirm", "other", status=1)
        self.assertEqual(len(self.jobs()), 1)
        self.server.kill()
        self.server.start()
        self.renga("addons:destroy", "scheduler", "--confirm", "clock")
        self.assertEqual(self.jobs(), [])
        with self.assertRaises(urllib.error.HTTPError) as gone:
            page()
        with gone.exception as answer:
            self.assertEqual(answer.code, 404)

    def test_every_minute_through_a_kill(self):
        """Due each minute while control is killed around the minute: one run for each minute, never two."""
        self.renga("schedule:add", "* * * * *", "--overlap", "allow", "--",
                   "echo ran $(cat /proc/sys/kernel/random/uuid)")
        job = self.jobs()[0]
        due = time.mktime(time.strptime(job["next_run_at"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
        wait_until(lambda: time.time() > due - 0.5, 70, what="the minute")
        for _ in range(4):
            self.server.kill()
            self.server.start()
            time.sleep(0.3)
        runs = self.ended(job)
        minutes = [run["due_at"] for run in runs]
        self.assertEqual(len(minutes), len(set(minutes)))
        self.assertIn(job["next_run_at"], minutes)
        wait_until(lambda: all(run["state"] == "succeeded" for run in self.runs(job)), what="all succeeded")
        # A line can be told twice when control dies before it says that it heard it; a command that ran twice says
        # two words.
        said = set(re.findall(r"app\[scheduler\.\d+\]: ran (\S+)", self.server.logs("clock")))
        self.assertEqual(len(said), len(self.runs(job)))

    def test_what_makes_no_sense(self):
        for schedule, words in (("61 * * * *", "minute"), ("* * * *", "five fields"), ("0 0 30 2 *", "never due")):
            self.assertIn(words, self.renga("schedule:add", schedule, "--", "true", status=1))
        self.assertIn("no time zone", self.renga("schedule:add", "@daily", "--zone", "Mars/Olympus", "--", "true", status=1))
        self.assertIn("Run what?", self.renga("schedule:add", "@daily", status=1))
        self.server.api("POST", "/apps", {"name": "empty"})
        job = self.server.api("POST", "/apps/empty/scheduled-jobs", {"command": "true", "schedule": "@daily"})
        self.server.api("POST", f"/apps/empty/scheduled-jobs/{job['id']}/runs", {})
        runs = lambda: self.server.api("GET", f"/apps/empty/scheduled-jobs/{job['id']}/runs")
        wait_until(lambda: runs()[0]["state"] == "failed", what="the refusal")
        self.assertIn("Nothing was deployed", runs()[0]["message"])


if __name__ == "__main__":
    harness.main()
