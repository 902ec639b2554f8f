"""renga's own CLI does the same walk as Heroku's, and reaches its server by another name than localhost."""

import os
import re
import subprocess
import threading

from harness import RENGA, StoryTest, commit, exits, git, main, needs_root, wait_until, web_files

# A name of 127.0.0.1 (RFC 6761) that is not "localhost" itself: as far as TLS and git are concerned, another host.
DOMAIN = "paas.localhost"


@needs_root
class RengaCli(StoryTest):
    options = ("--domain", DOMAIN)

    def setUp(self):
        super().setUp()
        self.home = self.server.base / "home"
        self.home.mkdir()
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("HEROKU_", "RENGA_", "XDG_", "GIT_"))}
        self.environment.update(HOME=str(self.home), GIT_TERMINAL_PROMPT="0")
        self.port = self.server.listen.rsplit(":", 1)[1]
        self.url = f"https://{DOMAIN}:{self.port}"
        self.app = self.repository(web_files(procfile="web: python3 web.py\nworker: sleep 1000\n"))

    def command(self, *words, status=0, stdin="", directory=None, **more):
        done = subprocess.run(words, cwd=directory or self.app, env=dict(self.environment, **more), capture_output=True,
                              text=True, errors="replace", timeout=180, input=stdin)
        self.assertIn(done.returncode, exits(status), f"{words}:\n{done.stdout}{done.stderr}\n{self.server.log()[-4000:]}")
        return done

    def renga(self, *words, **options):
        return self.command(RENGA, *words, **options)

    def login(self):
        """From another directory, with a copy of the CA that is gone afterwards: as from another machine."""
        elsewhere = self.server.base / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "ca.pem").write_bytes((self.server.data / "ca.pem").read_bytes())
        said = self.renga("login", "--url", self.url, "--ca", "ca.pem", stdin=self.server.token + "\n", directory=elsewhere)
        self.assertIn(f"Logged in to {self.url} as admin@localhost.", said.stderr)
        (elsewhere / "ca.pem").unlink()

    def up(self, *names):
        wait_until(lambda: all(re.search(rf"^{re.escape(name)}: up", self.renga("ps").stdout, re.M) for name in names),
                   60, 0.1, f"{names} up")

    def page(self, contains, limit=60):
        host = f"walk.{DOMAIN}"
        wait_until(lambda: contains in self.server.get("walk", host=host)[1], limit, what=f"a page with {contains!r}")

    def test_the_walk_from_another_host_name(self):
        self.login()
        self.assertEqual(self.renga("auth:whoami").stdout, "admin@localhost\n")
        created = self.renga("apps:create", "walk")
        self.assertIn(f"{self.url}/walk.git", created.stdout)
        self.assertEqual(git(self.app, "remote", "get-url", "renga").stdout.strip(), f"{self.url}/walk.git")
        self.assertNotIn(self.server.token, (self.app / ".git/config").read_text())
        self.assertEqual(self.renga("apps").stdout, "walk\n")

        self.assertIn("done, v3", self.renga("config:set", "GREETING=hello").stderr)
        self.assertEqual(self.renga("config:get", "GREETING").stdout, "hello\n")

        pushed = self.command("git", "push", "renga", "main").stderr
        self.assertIn("remote: -----> Discovering process types", pushed)
        self.assertIn("Released v4", pushed)
        self.page("v4 one hello web.1")

        self.assertIn("web at 2", self.renga("ps:scale", "web=2", "worker+1").stderr)
        self.up("web.1", "web.2", "worker.1")
        self.assertRegex(self.renga("ps:scale").stdout, r"web=2:\S+ worker=1:\S+")
        wait_until(lambda: "app[web.2]: listening" in self.renga("logs").stdout, what="web.2's output")
        only = self.renga("logs", "--dyno", "web.1", "--source", "app").stdout
        self.assertIn("app[web.1]: listening", only)
        self.assertNotIn("web.2", only)
        self.tail()

        self.renga("config:set", "GREETING=bye")
        self.page("v5 one bye")
        self.assertIn("Rolling back walk to v4... done, v6", self.renga("releases:rollback").stderr)
        self.page("v6 one hello")
        self.assertRegex(self.renga("releases").stdout,
                         r"(?s)v6 +Rollback to v4 \(current\).*v5 +Set GREETING config vars.*v4 +Deploy [0-9a-f]{8}")
        self.assertRegex(self.renga("releases:info", "v5").stdout, r"(?s)=== Release v5.*GREETING: +bye")
        self.assertRegex(self.renga("apps:info").stdout, rf"(?s)=== walk.*Git URL: +{self.url}/walk\.git")
        self.assertEqual(self.renga("domains").stdout, f"walk.{DOMAIN}\n")

        before = {dyno["id"] for dyno in self.server.dynos("walk")}
        self.renga("ps:restart", "web")
        wait_until(lambda: len({d["id"] for d in self.server.dynos("walk") if d["state"] == "up"} - before) == 2
                   and len(self.server.dynos("walk")) == 3, 90, what="two new web dynos")

        self.renga("maintenance:on")
        wait_until(lambda: self.server.get("walk", host=f"walk.{DOMAIN}")[0] == 503, what="the maintenance page")
        self.renga("maintenance:off")
        self.page("v6 one hello")

        one_off = self.renga("run:detached", "--", "echo", "from a one-off dyno").stderr
        name = re.search(r"run\.\d+", one_off)[0]
        wait_until(lambda: f"app[{name}]: from a one-off dyno" in self.renga("logs", "-n", "1500").stdout, what="its output")

        self.renga("apps:destroy", status=1, stdin="wlak\n")
        self.renga("apps:destroy", stdin="walk\n")
        self.assertEqual(self.renga("apps").stdout, "")
        self.assertEqual(git(self.app, "remote").stdout, "")

    def tail(self):
        follower = subprocess.Popen([RENGA, "logs", "--tail", "-n", "1"], cwd=self.app, env=self.environment, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        limit = threading.Timer(60, follower.kill)
        limit.start()
        lines = []
        try:
            for line in follower.stdout:
                if not lines:
                    self.server.get("walk", "/followed", host=f"walk.{DOMAIN}")
                lines.append(line)
                if 'path="/followed"' in line:
                    return
            self.fail(f"the log's tail did not show the request, but {lines}")
        finally:
            limit.cancel()
            follower.kill()
            follower.wait()
            follower.stdout.close()

    def test_git_remote_connects_a_clone_to_its_app(self):
        self.create("linked")
        data = {"RENGA_DATA": str(self.server.data)}
        said = self.renga("git:remote", "-a", "linked", **data).stderr
        self.assertIn(f"The git remote renga is https://localhost:{self.port}/linked.git", said)
        self.assertIn("Released v3", self.command("git", "push", "renga", "main", **data).stderr)
        commit(self.app, {"text": "two\n"})
        # Without a token at hand git ends; it does not ask.
        refused = self.command("git", "push", "renga", "main", status=128, HOME="/nonexistent", RENGA_DATA="/nonexistent")
        self.assertIn(f"no token is known for localhost:{self.port}", refused.stderr)
        self.assertIn("could not read Username", refused.stderr)
        self.assertIn("linked", self.renga("apps", **data).stdout)
        self.renga("git:remote", "-a", "nothing", status=1, **data)

    def test_wrong_tokens_and_strange_servers_are_said(self):
        ca = str(self.server.data / "ca.pem")
        wrong = self.renga("login", "--url", self.url, "--ca", ca, stdin="not-a-token\n", status=1).stderr
        self.assertRegex(wrong, r" !    .*[Cc]redentials")
        self.assertFalse((self.home / ".config/renga").exists())
        unknown = self.renga("login", "--url", self.url, stdin=self.server.token + "\n", status=1).stderr
        self.assertRegex(unknown, r"(?i)certificate")
        nowhere = self.renga("apps", status=1, RENGA_URL="http://127.0.0.1:1", RENGA_TOKEN="t").stderr
        self.assertIn("127.0.0.1:1", nowhere)
        self.assertIn("Sign in with", self.renga("apps", "--url", self.url, status=1).stderr)
        self.assertIn("Heroku's CLI", self.renga("env", status=1, RENGA_URL=self.url, RENGA_TOKEN="t").stderr)


main()
