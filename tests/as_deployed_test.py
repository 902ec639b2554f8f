#!/usr/bin/env python3
"""`renga local --as-deployed`: a directory on a server of its own, by the real buildpacks and in real sandboxes."""

import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

import harness
from harness import PATIENCE, RENGA, needs_root, wait_until, web_files


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@needs_root
class AsDeployed(unittest.TestCase):
    def setUp(self):
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="renga-test-"))
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        self.app = self.base / "My Shop"
        self.app.mkdir()
        for name, text in dict(web_files("one", "web: python3 web.py\nworker: id -u; "
                                              "echo stores ${REDIS_URL%%:*},${CACHE_URL%%:*}; sleep 1000\n"),
                               **{"app.json": '{"addons": ["heroku-redis"]}', ".env": "GREETING=from-the-env\nOTHER=x\n"}).items():
            (self.app / name).write_text(text)
        self.port = free_port()
        self.environment = dict(os.environ, XDG_DATA_HOME=str(self.base / "data"))

    def start(self):
        self.log = open(self.base / "log", "wb")
        self.addCleanup(self.log.close)
        process = subprocess.Popen([RENGA, "local", "--as-deployed", "-p", str(self.port), "-m", "web=1,worker=1"],
                                   cwd=self.app, env=self.environment, stdout=self.log, stderr=self.log,
                                   start_new_session=True)
        self.addCleanup(lambda: process.poll() is None and (process.terminate(), process.wait(60)))
        return process

    def said(self):
        return (self.base / "log").read_text(errors="replace")

    def page(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/", headers={"Host": "my-shop.localhost"})
            answer = connection.getresponse()
            return answer.read().decode(errors="replace")
        except OSError:
            return ""
        finally:
            connection.close()

    def nothing_is_left(self):
        mark = str(self.base / "data").encode()

        def left():
            found = []
            for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    command = entry.read_bytes()
                except OSError:
                    continue
                if mark in command:
                    found.append(command)
            return found
        wait_until(lambda: not left(), pause=0.1, what="the end of everything")

    def test_it_runs_as_deployed_and_ends_with_ctrl_c(self):
        local = self.start()
        try:
            wait_until(lambda: "one from-the-env web.1" in self.page(), pause=0.1, what="the page")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None
        self.assertIn("-----> Discovering process types", self.said())
        # As in a dyno of the platform: a user of its own, and a log as the platform's.
        wait_until(lambda: re.search(r"app\[worker\.1\]: 1000\n", self.said()), what="the worker's line")
        # The add-ons of app.json were there before its first release.
        wait_until(lambda: re.search(r"app\[worker\.1\]: stores rediss,\n", self.said()), what="the add-on's config var")
        self.assertIn(f"http://my-shop.localhost:{self.port}/", self.said())
        local.send_signal(signal.SIGINT)
        self.assertEqual(local.wait(90), 130, self.said())
        self.nothing_is_left()

        # The next time: what was removed from .env is gone, and the build's cache is there.
        (self.app / ".env").write_text("GREETING=again\n")
        (self.app / "text").write_text("two\n")
        # One that app.json has asked for is not made again, and one more is made.
        (self.app / "app.json").write_text('{"addons": ["heroku-redis", {"plan": "heroku-redis:mini", "as": "CACHE"}]}')
        local = self.start()
        wait_until(lambda: "two again web.1" in self.page(), pause=0.1, what="the changed page")
        wait_until(lambda: re.search(r"app\[worker\.1\]: stores rediss,rediss\n", self.said()), what="both add-ons")
        self.assertEqual(self.said().count("Creating heroku-redis"), 1, self.said())
        data = next((self.base / "data/renga-local").glob("my-shop-*/renga.db")).parent
        config = subprocess.run([RENGA, "config", "--json", "-a", "my-shop"], capture_output=True, text=True, timeout=PATIENCE,
                                env=dict(self.environment, RENGA_DATA=str(data)))
        self.assertNotIn("OTHER", config.stdout, config.stderr)
        local.send_signal(signal.SIGTERM)
        self.assertEqual(local.wait(90), 143, self.said())
        self.nothing_is_left()

    def test_what_cannot_be_built_ends_it(self):
        (self.app / "app.json").unlink()
        (self.app / "requirements.txt").write_text("no such thing: at all\n")
        local = self.start()
        self.assertNotEqual(local.wait(120), 0)
        self.nothing_is_left()
        words = subprocess.run([RENGA, "local", "--as-deployed", "--watch"], cwd=self.app, env=self.environment,
                               capture_output=True, text=True, timeout=PATIENCE)
        self.assertIn("does not go with --as-deployed", words.stderr + words.stdout)


if __name__ == "__main__":
    harness.main()
