"""The official Heroku CLI, unmodified and pointed here by `renga env`, does what people do with it.

It comes from npm, once, into RENGA_TEST_CACHE (~/.cache/renga-tests). It wants Node.js 20 or newer: the
system's where that is new enough, else npm's own package of it. Where there is no npm, root gets Debian's.
"""

import fcntl
import glob
import json
import os
import pathlib
import platform
import pty
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from harness import RENGA, ROOT, Server, commit, git, main, needs_network, needs_root, repository, wait_until, web_files

VERSION = "11.10.0"
PSQL = (sorted(glob.glob("/usr/lib/postgresql/*/bin/psql")) or [""])[-1]
CACHE = pathlib.Path(os.environ.get("RENGA_TEST_CACHE", pathlib.Path.home() / ".cache/renga-tests"))


def run(*command, limit=900, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def npm():
    if found := shutil.which("npm"):
        return found
    if os.geteuid() != 0:
        raise unittest.SkipTest("there is no npm; install it as root: apt-get install -y npm")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    run("apt-get", "update", "-q=2", env=environment)
    run("apt-get", "install", "-y", "-q=2", "--no-install-recommends", "nodejs", "npm", env=environment)
    return shutil.which("npm")


def installed(name, package):
    """The directory with `package` in its node_modules. Made beside it and moved, so that a half one is never used;
    by one test at a time, since several want the same."""
    CACHE.mkdir(parents=True, exist_ok=True)
    directory = CACHE / name
    with open(CACHE / "installing", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if directory.exists():
            return directory
        draft = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}.", dir=CACHE))
        try:
            run(npm(), "install", "--prefix", str(draft), "--no-audit", "--no-fund", "--ignore-scripts",
                "--loglevel=error", package)
            draft.rename(directory)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return directory


def node():
    system = shutil.which("node")
    if system:
        said = subprocess.run([system, "--version"], capture_output=True, text=True).stdout
        if (major := re.match(r"v(\d+)\.", said)) and int(major[1]) >= 20:
            return system
    architecture = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    package = f"node-linux-{architecture}"
    return str(installed("node-22", f"{package}@22") / "node_modules" / package / "bin/node")


@needs_root
@needs_network
class HerokuCli(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.program = installed(f"heroku-{VERSION}", f"heroku@{VERSION}") / "node_modules/heroku/bin/run.js"
        cls.node = node()

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.home = self.server.base / "home"
        (self.home / "bin").mkdir(parents=True)
        heroku = self.home / "bin/heroku"
        heroku.write_text(f'#!/bin/sh\nexec {self.node} {self.program} "$@"\n')
        heroku.chmod(0o755)

        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith(("HEROKU_", "RENGA_", "XDG_", "GIT_"))}
        # It is pinned; its updater would outlive the test.
        clean.update(HEROKU_DISABLE_AUTOUPDATE="1", HOME=str(self.home),
                     PATH=f"{self.home / 'bin'}:{os.environ['PATH']}", GIT_TERMINAL_PROMPT="0",
                     GIT_AUTHOR_NAME="t", GIT_AUTHOR_EMAIL="t@example.com",
                     GIT_COMMITTER_NAME="t", GIT_COMMITTER_EMAIL="t@example.com")
        # As a person does it: eval "$(renga env)".
        shown = run("bash", "-c", 'eval "$("$1" env --data "$2")" && env -0', "-", RENGA, str(self.server.data), env=clean)
        self.environment = dict(entry.split("=", 1) for entry in shown.split("\0") if entry)
        self.app = repository(self.server.base, web_files(procfile="web: python3 web.py\nworker: sleep 1000\n"))

    def command(self, *words, status=0, environment=None, given=None):
        done = subprocess.run(words, cwd=self.app, env=environment or self.environment, capture_output=True,
                              text=True, errors="replace", timeout=180, **({"input": given} if given else {"stdin": subprocess.DEVNULL}))
        self.assertEqual(done.returncode, status, f"{words}:\n{done.stdout}{done.stderr}\n{self.server.log()[-4000:]}")
        return done

    def heroku(self, *words, **options):
        done = self.command("heroku", *words, **options)
        return done.stdout + done.stderr

    def said(self, text, *words, **options):
        """Asks until the command's output matches; dynos take their time."""
        return wait_until(lambda: re.search(text, self.heroku(*words, **options)), pause=0.2, what=f"{text!r} in {words}")

    def test_the_walk(self):
        port = self.server.listen.rsplit(":", 1)[1]
        created = self.heroku("apps:create", "walk")
        self.assertIn(f"https://localhost:{port}/walk.git", created)
        self.assertIn(f"http://walk.localhost:{self.server.http.rsplit(':', 1)[1]}/", created)
        self.assertEqual(git(self.app, "remote", "get-url", "heroku").stdout.strip(), f"https://localhost:{port}/walk.git")
        self.assertIn("walk", self.heroku("apps"))

        said = self.heroku("config:set", "GREETING=hello")
        self.assertRegex(said, r"GREETING:\s+hello")
        self.assertIn("done, v3", said)
        self.assertRegex(self.heroku("config"), r"GREETING:\s+hello")
        self.assertEqual(self.heroku("config:get", "GREETING").strip(), "hello")

        # git asks `heroku git:credentials` for the token and trusts the server's CA.
        pushed = self.command("git", "push", "heroku", "main").stderr
        self.assertIn("remote: -----> Discovering process types", pushed)
        self.assertIn("Released v4", pushed)
        self.server.wait_for_page("walk", "v4 one hello web.1")

        self.assertIn("web at 2", self.heroku("ps:scale", "web=2"))
        self.said(r"(?s)web\.1: up.*web\.2: up", "ps")
        self.assertRegex(self.heroku("ps"), r"=== web \([\w-]+\): python3 web\.py \(2\)")
        self.assertRegex(self.heroku("ps:scale"), r"web=2:[\w-]+")

        self.said(r"app\[web\.2\]: listening", "logs")
        self.assertRegex(self.heroku("logs", "--source", "heroku", "-n", "1500"),
                         r"heroku\[web\.2\]: State changed from starting to up")
        self.tail(r'heroku\[router\]: at=info method=GET path="/followed"', lambda: self.server.get("walk", "/followed"))

        self.heroku("config:set", "GREETING=bye")
        self.server.wait_for_page("walk", "v5 one bye")
        listed = self.heroku("releases")
        sha = git(self.app, "rev-parse", "HEAD").stdout.strip()[:8]
        self.assertRegex(listed, rf"(?s)v5 +Set GREETING config vars.*v4 +Deploy {sha}.*v3 +Set GREETING config vars")
        self.assertRegex(self.heroku("releases:rollback", "v4"), r"(?s)v4.*v6")
        self.server.wait_for_page("walk", "v6 one hello")
        self.assertRegex(self.heroku("releases:info"), r"(?s)v6.*Rollback to v4")

        info = self.heroku("apps:info")
        self.assertRegex(info, r"Git URL: +https://localhost:\d+/walk\.git")
        self.assertRegex(info, r"Web URL: +http://walk\.localhost:\d+/")
        self.assertRegex(info, r"Dynos: +web: 2")
        self.assertIn("walk.localhost", self.heroku("domains"))
        self.assertIn("admin@localhost", self.heroku("auth:whoami"))

        before = {dyno["id"] for dyno in self.server.dynos("walk")}
        self.heroku("ps:restart")
        wait_until(lambda: all(d["state"] == "up" and d["id"] not in before for d in self.server.dynos("walk"))
                   and len(self.server.dynos("walk")) == 2, what="two new dynos")

        self.heroku("maintenance:on")
        self.assertIn("on", self.heroku("maintenance"))
        wait_until(lambda: self.server.get("walk")[0] == 503, what="the maintenance page")
        self.heroku("maintenance:off")
        self.server.wait_for_page("walk", "v6 one hello")

        self.heroku("run:detached", "echo from a one-off dyno")
        self.said(r"app\[run\.\d+\]: from a one-off dyno", "logs", "-n", "1500")
        self.assertIn("at the terminal", self.heroku("run", "echo at the terminal"))
        self.assertIn("seven", self.heroku("run", "--exit-code", "--no-tty", "echo seven; sh -c 'exit 7'", status=7))
        self.assertIn("none", self.heroku("run", "--exit-code", "echo none"))

        url = "https://ada:pa55word@logs.example.com/intake"
        self.assertIn("Successfully added drain", self.heroku("drains:add", url))
        drains = self.heroku("drains")
        self.assertRegex(drains, r"logs\.example\.com/intake.* \(?d\.[0-9a-f-]{36}")
        self.assertNotIn("pa55word", drains)
        self.assertIn("Successfully removed drain", self.heroku("drains:remove", url))
        self.assertNotIn("example.com", self.heroku("drains"))

        commit(self.app, {"text": "two\n", "task": "echo the task $*\nexit 5\n", "Procfile": "web: python3 web.py\n"
                          "console: echo a console in $DYNO\nrake: sh task\n"})
        self.assertIn("Released v7", self.command("git", "push", "heroku", "main").stderr)
        self.server.wait_for_page("walk", "v7 two hello")
        self.assertRegex(self.heroku("console"), r"a console in run\.\d+")
        self.assertIn("the task db:migrate VERSION=3", self.heroku("rake", "db:migrate", "VERSION=3"))
        self.assertIn("the task db:seed", self.heroku("rake", "--exit-code", "--no-tty", "db:seed", status=5))

        self.heroku("apps:destroy", "--confirm", "tuna", "-a", "walk", status=1)
        self.heroku("apps:destroy", "--confirm", "walk", "-a", "walk")
        self.assertNotIn("walk", self.heroku("apps"))
        self.assertEqual(git(self.app, "remote").stdout, "")

    def test_refusals_are_said_in_the_servers_words(self):
        self.heroku("apps:create", "taken", "--no-remote")
        self.assertRegex(self.heroku("apps:create", "taken", "--no-remote", status=2), r"(?s)taken.*Error ID: invalid_params")
        self.assertIn("Error ID: not_found", self.heroku("apps:info", "-a", "nothing", status=2))
        self.assertIn("Error ID:", self.heroku("ps:scale", "web=2", "-a", "taken", status=2))
        wrong = dict(self.environment, HEROKU_API_KEY="00000000-0000-0000-0000-000000000000")
        self.assertIn("HEROKU_API_KEY is invalid", self.heroku("apps", status=1, environment=wrong))

    def test_what_surrounds_an_app(self):
        """Features, stacks, and the lists of what it has not."""
        self.heroku("apps:create", "shop")
        self.assertIn("shop", json.loads(self.heroku("apps", "--json"))[0]["name"])
        self.assertEqual(json.loads(self.heroku("apps:info", "--json"))["app"]["name"], "shop")
        self.assertIn("redirect-to-https", self.heroku("features"))
        self.assertIn("done", self.heroku("features:enable", "redirect-to-https"))
        self.assertRegex(self.heroku("features:info", "redirect-to-https"), r"Enabled:\s+true")
        self.assertTrue(next(f for f in json.loads(self.heroku("features", "--json")) if f["name"] == "redirect-to-https")["enabled"])
        self.assertIn("done", self.heroku("features:disable", "redirect-to-https"))
        self.assertIn("runtime-dyno-metadata", self.heroku("labs"))
        self.assertIn("not_found", self.heroku("features:enable", "flying", status=2))

        self.assertRegex(self.heroku("stack"), r"\* host")
        self.assertIn("done", self.heroku("stack:set", "host"))
        self.assertIn("local", self.heroku("regions"))
        self.heroku("apps:create", "far", "--region", "eu", "--no-remote")
        self.assertRegex(self.heroku("apps:info", "-a", "far"), r"Region:\s+eu")
        for words in (("teams",), ("webhooks",), ("clients",), ("sessions",), ("drains",), ("domains",),
                      ("certs",), ("addons",), ("apps", "-A"), ("buildpacks",), ("releases",), ("ps",)):
            self.heroku(*words)
        self.assertIn("do not have access to any spaces", self.heroku("spaces", status=2))
        said = self.heroku("webhooks:add", "-i", "api:build,api:dyno", "-l", "notify", "-u", "https://example.com/in")
        self.assertRegex(said, "[0-9a-f]{64}")
        (webhook,) = self.server.api("GET", "/apps/shop/webhooks")
        listed = self.heroku("webhooks")
        for shown in (webhook["id"], "https://example.com/in", "api:build", "notify"):
            self.assertIn(shown, listed)
        self.assertIn("https://example.com/in", self.heroku("webhooks:info", webhook["id"]))
        self.heroku("webhooks:update", webhook["id"], "-i", "api:domain", "-l", "sync", "-u", "https://example.com/there")
        self.heroku("domains:add", "hooked.example.com")
        (event,) = self.server.api("GET", "/apps/shop/webhook-events")
        self.assertIn(event["id"], self.heroku("webhooks:events"))
        self.assertIn("hooked.example.com", self.heroku("webhooks:events:info", event["id"]))
        (delivery,) = self.server.api("GET", "/apps/shop/webhook-deliveries")
        self.assertIn(delivery["id"], self.heroku("webhooks:deliveries"))
        self.assertIn(delivery["id"], self.heroku("webhooks:deliveries:info", delivery["id"]))
        self.heroku("webhooks:remove", webhook["id"])

    def test_buildpacks_names_and_config_in_an_editor(self):
        self.heroku("apps:create", "shop")
        self.heroku("buildpacks:set", "heroku/python")
        self.heroku("buildpacks:add", "https://github.com/heroku/heroku-buildpack-apt")
        self.assertRegex(self.heroku("buildpacks"), r"(?s)1\. heroku/python.*2\. https://github.com/heroku/heroku-buildpack-apt")
        self.heroku("buildpacks:remove", "heroku/python")
        self.heroku("buildpacks:clear")

        self.heroku("domains:add", "www.shop.example")
        self.assertRegex(self.heroku("domains"), r"www\.shop\.example")
        self.assertIn("www.shop.example", self.heroku("domains:info", "www.shop.example"))
        self.heroku("domains:remove", "www.shop.example")

        editor = self.home / "bin/editor"
        editor.write_text("#!/bin/sh\nprintf 'COLOUR=red\\nSHAPE=round\\n' > \"$1\"\n")
        editor.chmod(0o755)
        self.heroku("config:set", "OLD=1")
        self.terminal(["heroku", "config:edit"], [("(?i)accept changes|apply|y/n", "y\n")], EDITOR=str(editor), VISUAL=str(editor))
        self.assertEqual(json.loads(self.heroku("config", "--json")), {"COLOUR": "red", "SHAPE": "round"})

    def test_sizes_of_dynos_and_clones(self):
        self.heroku("apps:create", "shop")
        self.command("git", "push", "heroku", "main")
        self.server.wait_for_page("shop", "one")
        self.assertRegex(self.heroku("ps:type"), r"web")
        self.heroku("ps:type", "web=standard-2x")
        self.assertRegex(self.heroku("ps:scale"), r"web=1:Standard-2X")
        self.heroku("ps:wait", "-t", "web")
        self.heroku("ps:stop", "web.1")
        self.said(r"web\.1: up", "ps")
        clone = self.server.base / "clone"
        self.heroku("git:clone", str(clone), "-a", "shop")
        self.assertEqual((clone / "text").read_text(), (self.app / "text").read_text())
        self.heroku("git:remote", "-a", "shop", "-r", "again")
        self.assertIn("/shop.git", git(self.app, "remote", "get-url", "again").stdout)
        git(self.app, "remote", "remove", "again")
        self.heroku("apps:rename", "store", "-a", "shop")
        self.assertIn("/store.git", git(self.app, "remote", "get-url", "heroku").stdout)

    def test_people(self):
        """Accounts and sharing; somebody else takes an app over."""
        made = self.server.api("POST", "/accounts", {"email": "bob@example.com", "name": "Bob"})
        self.server.api("POST", f"/password-resets/{made['password_reset']['token']}/actions/finalize",
                        {"password": "correct horse", "password_confirmation": "correct horse"})
        self.heroku("apps:create", "gift")
        self.assertIn("done", self.heroku("access:add", "bob@example.com"))
        self.assertRegex(self.heroku("access"), r"bob@example\.com\s+collaborator")
        self.assertEqual({one["role"] for one in json.loads(self.heroku("access", "--json"))}, {"owner", "collaborator"})

        # Bob signs in at a terminal, as people do, and is somebody of his own.
        bob = dict(self.environment, HOME=str(self.server.base / "bob"), HEROKU_NETRC_WRITE="true")
        pathlib.Path(bob["HOME"]).mkdir()
        del bob["HEROKU_API_KEY"]
        self.terminal(["heroku", "login", "-i"], [("Email", "bob@example.com\n"), ("Password", "correct horse\n")],
                      environment=bob)
        self.assertIn("bob@example.com", self.heroku("auth:whoami", environment=bob))
        self.assertIn("HRKU-", self.heroku("auth:token", environment=bob))
        self.assertIn("gift", self.heroku("apps", environment=bob))
        self.assertIn("forbidden", self.heroku("apps:destroy", "-a", "gift", "-c", "gift", status=2, environment=bob))
        self.heroku("apps:leave", "-a", "gift", environment=bob)
        self.assertIn("not_found", self.heroku("apps:info", "-a", "gift", status=2, environment=bob))

        self.heroku("apps:transfer", "bob@example.com", "-a", "gift")
        bobs = {"Authorization": "Bearer " + re.search(r"HRKU-\S+", self.heroku("auth:token", environment=bob))[0]}
        self.server.api("PATCH", "/account/app-transfers/gift", {"state": "accepted"}, bobs)
        self.assertRegex(self.heroku("apps:info", "-a", "gift", environment=bob), r"Owner:\s+bob@example.com")

        self.heroku("logout", environment=bob)
        self.assertIn("not logged in", self.heroku("auth:whoami", status=100, environment=bob))

    def test_tokens_and_keys(self):
        created = self.heroku("authorizations:create", "-d", "a robot", "-s", "read", "-e", "3600")
        self.assertRegex(created, r"Token:\s+HRKU-")
        identity = re.search(r"ID:\s+(\S+)", created)[1]
        self.assertIn("a robot", self.heroku("authorizations"))
        self.assertRegex(self.heroku("authorizations:info", identity), r"Scope:\s+read")
        self.assertRegex(self.heroku("authorizations:update", identity, "-d", "another"), "(?i)another|done")
        self.assertIn("HRKU-", self.heroku("authorizations:rotate", identity))
        self.assertIn("done", self.heroku("authorizations:revoke", identity))

        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me@laptop", "-f", str(self.home / "key"))
        self.heroku("keys:add", str(self.home / "key.pub"))
        self.assertIn("me@laptop", self.heroku("keys"))
        self.assertEqual(json.loads(self.heroku("keys", "--json"))[0]["comment"], "me@laptop")
        self.heroku("keys:remove", "me@laptop")
        self.heroku("keys:clear")

    def terminal(self, words, answers, environment=None, **variables):
        """The command at a terminal of its own; each answer is typed once its question is there. What it showed."""
        master, slave = pty.openpty()
        process = subprocess.Popen(words, cwd=self.app, env=dict(environment or self.environment, TERM="xterm", **variables),
                                   stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        limit = threading.Timer(90, process.kill)
        limit.start()
        shown, waiting, seen = "", list(answers), 0
        try:
            while True:
                try:
                    piece = os.read(master, 4096)
                except OSError:
                    break
                if not piece:
                    break
                shown += piece.decode(errors="replace")
                if waiting and (found := re.search(waiting[0][0], shown[seen:])):
                    seen += found.end()
                    os.write(master, waiting.pop(0)[1].encode())
            self.assertEqual(process.wait(), 0, shown)
            self.assertEqual(waiting, [], shown)
        finally:
            limit.cancel()
            process.kill()
            process.wait()
            os.close(master)
        return shown

    def test_pipelines(self):
        for name in ("food-staging", "food-production"):
            self.heroku("apps:create", name, "--no-remote")
        self.heroku("pipelines:create", "food", "-a", "food-staging", "-s", "staging")
        self.heroku("pipelines:add", "food", "-a", "food-production", "-s", "development")
        self.heroku("pipelines:update", "-s", "production", "-a", "food-production")
        self.assertIn("food", self.heroku("pipelines"))
        self.assertRegex(self.heroku("pipelines:info", "food"),
                         r"(?s)owner: admin@localhost.*food-staging +staging.*food-production +production")
        self.assertIn("nothing to promote", self.heroku("pipelines:promote", "-a", "food-staging", status=2))
        self.command("git", "push", f"https://renga:{self.server.token}@localhost:{self.server.listen.rsplit(':', 1)[1]}"
                     "/food-staging.git", "main")
        said = self.heroku("pipelines:promote", "-a", "food-staging")
        self.assertRegex(said, r"(?s)Promotion successful.*food-production: +succeeded")
        self.server.wait_for_page("food-production", "v3 one")
        self.assertIn("in the pipeline food already", self.heroku("pipelines:add", "food", "-a", "food-staging", "-s", "staging",
                                                                  status=2))
        self.heroku("pipelines:rename", "food", "meals")
        self.server.api("GET", "/pipelines/meals")
        self.heroku("pipelines:remove", "-a", "food-staging")
        self.assertIn("owns meals already", self.heroku("pipelines:transfer", "admin@localhost", "-p", "meals",
                                                        "-c", "meals", status=2))
        self.heroku("pipelines:destroy", "meals")

    def test_addons(self):
        manifest = json.loads((ROOT / "examples/provider/addon-manifest.json").read_text())
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        manifest["api"]["production"] = {"base_url": f"http://127.0.0.1:{port}/heroku/resources"}
        here = self.server.base / "addon-manifest.json"
        here.write_text(json.dumps(manifest))
        provider = subprocess.Popen(["python3", str(ROOT / "examples/provider/provider.py"), "--manifest", str(here),
                                     "--data", str(self.server.base), "--listen", f"127.0.0.1:{port}"],
                                    stdout=subprocess.PIPE)
        self.addCleanup(provider.stdout.close)
        self.addCleanup(provider.wait)
        self.addCleanup(provider.kill)
        provider.stdout.readline()
        self.server.api("POST", "/addon-services", manifest)

        self.heroku("apps:create", "shop")
        self.heroku("apps:create", "other", "--no-remote")
        self.assertIn("errortank", self.heroku("addons:services"))
        self.assertIn("errortank:premium", self.heroku("addons:plans", "errortank"))
        created = self.heroku("addons:create", "errortank:basic", "--as", "CACHE", "--name", "tank-one", "-a", "shop")
        self.assertIn("Your tank is ready.", created)
        self.assertIn("CACHE_URL", created)
        self.assertIn("errortank.example", self.heroku("config:get", "CACHE_URL", "-a", "shop"))
        self.assertRegex(self.heroku("addons", "-a", "shop"), r"(?s)tank-one.*free.*created.*as CACHE")
        self.assertRegex(self.heroku("addons:info", "tank-one"), r"(?s)Plan:\s+errortank:basic.*State:\s+created")
        self.assertIn("done", self.heroku("addons:upgrade", "tank-one", "errortank:premium"))
        self.assertRegex(self.heroku("addons:attach", "tank-one", "--as", "STORE", "-a", "other"), r"STORE.*done")
        self.assertIn("STORE_URL", self.heroku("config", "-a", "other"))
        self.assertIn("tank-one", self.heroku("addons:destroy", "tank-one", "-c", "shop", "-a", "shop", status=1))
        self.assertIn("done", self.heroku("addons:detach", "STORE", "-a", "other"))
        self.heroku("addons:rename", "tank-one", "tank-two")
        slow = self.heroku("addons:create", "errortank:slow", "--wait", "-a", "shop")
        self.assertIn("Your tank is being filled.", slow)
        self.heroku("addons:wait", "-a", "shop")
        self.assertIn("ERRORTANK_URL", self.heroku("config", "-a", "shop"))
        self.heroku("addons:create", "nothing", "-a", "shop", status=2)
        self.assertIn("scheduler:standard", self.heroku("addons:create", "scheduler:standard", "-a", "shop"))
        self.assertIn("/sso/", self.heroku("addons:open", "scheduler", "--show-url", "-a", "shop"))
        self.assertIn("done", self.heroku("addons:destroy", "scheduler", "-c", "shop", "-a", "shop"))
        self.assertIn("done", self.heroku("addons:destroy", "tank-two", "-c", "shop", "-a", "shop"))
        self.assertRegex(self.heroku("releases", "-a", "shop"), r"(?s)Detach CACHE.*Attach CACHE")
        self.heroku("apps:destroy", "--confirm", "shop", "-a", "shop")
        books = self.server.base / "errortank.json"
        wait_until(lambda: json.loads(books.read_text()) == {}, what="the provider's books to be empty")

    def test_databases(self):
        """Prompts of stores, by a pipe and at a terminal, and a backup that is called off."""
        self.heroku("apps:create", "shop")
        self.assertIn("heroku-redis:premium-0", self.heroku("addons:create", "heroku-redis:premium-0", "--as", "CACHE"))
        self.heroku("addons:create", "heroku-postgresql:essential-0")
        self.heroku("addons:wait")

        typed = "SET greeting hello\nGET greeting\nLPUSH all one two\nLRANGE all 0 -1\nNONSENSE\nFLUSHALL now please\n"
        said = self.heroku("redis:cli", given=typed)
        # It shows no OK once its input has ended.
        self.assertRegex(said, r"(?s)Connecting to redis-\S+ \(CACHE_URL\):.*hello\n2\n.*two.*one.*unknown command.*"
                               r"syntax error.*Disconnected from instance")
        self.assertRegex(self.terminal(["heroku", "redis:cli", "CACHE"], [("6379> ", "GET greeting\n"), ("hello", "QUIT\n")]),
                         "Disconnected from instance")
        self.assertIn("No Redis instances found", self.heroku("redis:cli", "NOTHING", status=1))
        self.heroku("redis:maxmemory", "CACHE", "--policy", "allkeys-lru")
        self.heroku("redis:timeout", "CACHE", "--seconds", "60")
        self.assertRegex(self.heroku("redis:info"), r"Maxmemory:\s+allkeys-lru")
        self.heroku("redis:credentials", "--reset")

        self.assertIn("No active backups", self.heroku("pg:backups:cancel", status=2))
        database = self.heroku("config:get", "DATABASE_URL").strip() + "?sslmode=require"
        # pg_dump waits for this lock, so that the backup is still under way.
        with subprocess.Popen([PSQL, database, "-XAtq"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            holder.stdin.write("CREATE TABLE t AS SELECT 5 AS n;\nBEGIN; LOCK TABLE t; SELECT 'locked';\n")
            holder.stdin.flush()
            self.assertEqual(holder.stdout.readline(), "locked\n")
            with subprocess.Popen(["heroku", "pg:backups:capture"], cwd=self.app, env=self.environment, text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as capture:
                self.said(r"b001 .*Running", "pg:backups")
                self.assertRegex(self.heroku("pg:backups:cancel"), r"Cancelling b001.*done")
                self.assertRegex(capture.communicate(timeout=60)[0], "(?i)cancel|failed")
            holder.stdin.close()
        self.assertRegex(self.heroku("pg:backups"), r"b001 .*Failed")
        self.assertIn("Backing up", self.heroku("pg:backups:capture"))
        self.assertRegex(self.heroku("pg:backups"), r"b002 .*Completed")

    def tail(self, wanted, happen):
        """`logs --tail` shows a line that comes while it follows; then it is ended."""
        follower = subprocess.Popen(["heroku", "logs", "--tail", "-n", "1"], cwd=self.app, env=self.environment, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        limit = threading.Timer(60, follower.kill)
        limit.start()
        lines = []
        try:
            for line in follower.stdout:
                # The first line is the log's last one: it follows now.
                if not lines:
                    happen()
                lines.append(line)
                if re.search(wanted, line):
                    return
            self.fail(f"no {wanted!r} in {lines}\n{self.server.log()[-4000:]}")
        finally:
            limit.cancel()
            follower.kill()
            follower.wait()
            follower.stdout.close()


if __name__ == "__main__":
    main()
