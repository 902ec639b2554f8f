#!/usr/bin/env python3
"""The example apps that use databases, pushed and used."""

import shutil
import subprocess

from harness import PATIENCE, ROOT, StoryTest, git, main, needs_network, needs_root, wait_until


@needs_root
@needs_network
class DatabaseExamples(StoryTest):
    def push_example(self, example, app, addon, variable):
        self.create(app)
        self.server.api("POST", f"/apps/{app}/addons", {"plan": {"name": addon}})
        wait_until(lambda: variable in self.server.api("GET", f"/apps/{app}/config-vars"), what=variable)
        directory = self.server.base / app
        shutil.copytree(ROOT / "examples" / example, directory, ignore=shutil.ignore_patterns("__pycache__"))
        git(directory, "init", "-q", "-b", "main")
        git(directory, "add", "-A")
        git(directory, "commit", "-q", "-m", "example")
        self.server.push(directory, app)

    def post(self, app, data):
        return subprocess.run(["curl", "-sf", "-o", "/dev/null", "-H", f"Host: {app}.localhost", "--data", data,
                               f"http://{self.server.http}/"], timeout=PATIENCE).returncode

    def test_django_with_postgresql(self):
        self.push_example("django-postgresql", "guestbook", "heroku-postgresql", "DATABASE_URL")
        self.server.wait_for_page("guestbook", "0 entries")
        self.assertEqual(self.post("guestbook", "text=Ahoy"), 0)
        self.assertIn("<li>Ahoy", self.server.page("guestbook"))
        # What was written lasts longer than the dyno.
        self.server.api("DELETE", "/apps/guestbook/dynos")
        self.server.wait_for_page("guestbook", "1 entries")

    def test_a_worker_with_redis(self):
        self.push_example("redis-worker", "adder", "heroku-redis", "REDIS_URL")
        self.server.api("PATCH", "/apps/adder/formation/worker", {"quantity": 1})
        self.server.wait_for_page("adder", "0 done")
        for number in (4, 38):
            self.assertEqual(self.post("adder", str(number)), 0)
        self.server.wait_for_page("adder", "0 waiting, 2 done, sum 42")


if __name__ == "__main__":
    main()
