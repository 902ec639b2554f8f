"""kill -9 of control at random points: nothing lost, nothing twice, dynos kept, operations finished.

RENGA_CRASHES (default 200) kills, RENGA_SEED repeats a run. Each round starts an operation (a push with a
release command, a config change, a scale, a restart), kills control at a random moment of it, starts it
again, and asks whether what it had promised is true, while a client asks for the page all the time
through the router, which outlives control.
"""

import collections
import contextlib
import os
import pathlib
import random
import re
import threading
import time
import unittest

from harness import Failed, StoryTest, commit, git, main, needs_root, wait_until, web_files

CRASHES = int(os.environ.get("RENGA_CRASHES", "200"))
SEED = int(os.environ.get("RENGA_SEED", str(random.SystemRandom().randrange(1 << 32))))
PROCFILE = "web: python3 web.py\nworker: sleep 100000\nrelease: echo release-command-of-$HEROKU_RELEASE_VERSION-$(cat /proc/sys/kernel/random/uuid)\n"


def live_dynos(data_marker):
    """(DYNO, HEROKU_RELEASE_VERSION) of every process group leader of this app, from the kernel."""
    found = collections.Counter()
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError):
            environ = (entry / "environ").read_bytes().split(b"\0")
            values = dict(item.split(b"=", 1) for item in environ if b"=" in item)
            command = (entry / "cmdline").read_bytes()
            if values.get(b"CRASH_TEST") == data_marker and (b"web.py" in command or b"100000" in command):
                if b"bash" not in command.split(b"\0")[0]:
                    found[values[b"DYNO"].decode(), values[b"HEROKU_RELEASE_VERSION"].decode()] += 1
    return found


class Watcher(threading.Thread):
    """Asks for the page all the time; every answer must be the app's."""

    def __init__(self, server, app):
        super().__init__()
        self.server, self.app = server, app
        self.ending = threading.Event()
        self.failures, self.answers = [], 0

    def run(self):
        while not self.ending.is_set():
            try:
                status, body, _ = self.server.get(self.app)
                self.answers += 1
                if status != 200:
                    self.failures.append((time.time(), status, body[:300]))
            except Exception as error:
                self.failures.append((time.time(), repr(error)))
            time.sleep(0.02)


@needs_root
class Crash(StoryTest):
    def setUp(self):
        super().setUp()
        print(f"RENGA_SEED={SEED} RENGA_CRASHES={CRASHES}", flush=True)
        self.random = random.Random(SEED)
        self.marker = str(self.server.base)

    def test_control_killed_at_random_points(self):
        server = self.server
        self.create("crash")
        # What was accepted: the books that the server is held against.
        self.config = {"CRASH_TEST": self.marker}
        server.api("PATCH", "/apps/crash/config-vars", self.config)
        self.quantity = {"web": 1, "worker": 0}
        self.versions = {}
        self.app = self.repository(web_files(procfile=PROCFILE))
        server.push(self.app, "crash")
        server.wait_for_page("crash", "one")
        watcher = Watcher(server, "crash")
        watcher.start()
        try:
            for round_number in range(CRASHES):
                with self.subTest(round=round_number, seed=SEED):
                    self.one_round(round_number)
                if round_number % 20 == 19:
                    print(f"{round_number + 1} kills, {watcher.answers} pages, {len(watcher.failures)} failures", flush=True)
                    self.assertEqual(watcher.failures, [])
        finally:
            watcher.ending.set()
            watcher.join()
        self.assertEqual(watcher.failures, [])
        # Every run of a release command says a word of its own. A line may be told twice, when control died between
        # hearing and acknowledging it; a command may not run twice.
        runs = set(re.findall(r"app\[release\.\d+\]: release-command-of-(v\d+)-(\S+)", server.logs("crash")))
        versions = collections.Counter(version for version, _ in runs)
        self.assertTrue(versions)
        self.assertEqual([version for version, count in versions.items() if count > 1], [])

    def one_round(self, number):
        server = self.server
        operation = self.random.choice([self.push, self.push, self.set_config, self.scale, self.restart])
        longest = 1.2 if operation == self.push else 0.6
        delay = self.random.random() * longest
        thread = threading.Thread(target=operation, args=(number,))
        thread.start()
        time.sleep(delay)
        server.kill()
        thread.join()
        server.start()
        self.check()

    # -- operations; what was answered with success goes into the books

    def push(self, number):
        commit(self.app, {"text": f"text-{number}\n"})
        self.server.push(self.app, "crash", check=False)

    def set_config(self, number):
        with contextlib.suppress(OSError, Failed, ValueError, Exception):
            wanted = {"GREETING": f"g{number}"}
            accepted = self.server.api("PATCH", "/apps/crash/config-vars", wanted)
            self.config = accepted

    def scale(self, number):
        wanted = {"web": self.random.choice([1, 2, 3]), "worker": self.random.choice([0, 1])}
        self.maybe_quantity = wanted
        with contextlib.suppress(Exception):
            self.server.api("PATCH", "/apps/crash/formation",
                            {"updates": [{"type": t, "quantity": q} for t, q in wanted.items()]})
            self.quantity = wanted

    def restart(self, number):
        with contextlib.suppress(Exception):
            self.server.api("DELETE", "/apps/crash/dynos")

    # -- what must be true after a restart, without a person

    def check(self):
        server = self.server
        config = server.api("GET", "/apps/crash/config-vars")
        for key, value in self.config.items():
            if key == "GREETING":  # a change that was not answered may have been made or not
                self.assertGreaterEqual(int(config[key][1:]), int(value[1:]))
            else:
                self.assertEqual(config.get(key), value)
        self.config = config

        formation = {p["type"]: p["quantity"] for p in server.api("GET", "/apps/crash/formation")}
        formation.pop("release", None)
        self.assertIn(formation, [self.quantity, getattr(self, "maybe_quantity", self.quantity)])
        self.quantity = formation

        releases = sorted(server.releases("crash"), key=lambda r: r["version"])
        self.assertEqual([r["version"] for r in releases], list(range(releases[0]["version"], releases[-1]["version"] + 1)))
        for release in releases:
            known = self.versions.setdefault(release["version"], release["description"])
            self.assertEqual(release["description"], known)
        self.assertLessEqual(set(self.versions), {r["version"] for r in releases} | set(range(1, releases[0]["version"])))

        def settled():
            newest = server.releases("crash")
            if any(r["status"] == "pending" for r in newest):
                return False
            builds = server.api("GET", "/apps/crash/builds")
            if any(b["status"] == "pending" for b in builds):
                return False
            current = next(r for r in newest if r["current"])
            wanted = {(f"{t}.{n + 1}", f"v{current['version']}"): 1
                      for t, q in formation.items() for n in range(q)}
            self.last = (wanted, dict(live_dynos(self.marker.encode())), server.dynos("crash"))
            states = {d["name"]: d["state"] for d in server.dynos("crash") if d["type"] != "release"}
            return self.last[1] == wanted and states == {name: "up" for name, _ in wanted}

        try:
            wait_until(settled, limit=60, pause=0.05, what="the state that was asked for")
        except AssertionError as error:
            raise AssertionError(f"{error}\nwanted, running, dynos: {self.last}\n{server.log()[-3000:]}") from None

        # The branch is where the newest push that was built is, also of one that control did not live to end.
        builds = server.api("GET", "/apps/crash/builds")
        version_of = {r["id"]: r["version"] for r in server.releases("crash")}  # times are whole seconds
        built = max((b for b in builds if b["status"] == "succeeded"), key=lambda b: version_of.get(b["release"]["id"], 0))
        url = f"http://renga:{server.token}@{server.listen}/crash.git"
        wait_until(lambda: git(self.app, "ls-remote", url, "main").stdout.startswith(built["source_blob"]["version"]),
                   limit=20, pause=0.05, what=f"main at {built['source_blob']['version']}")


if __name__ == "__main__":
    main()
