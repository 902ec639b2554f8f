#!/usr/bin/env python3
"""A database server that refuses to start: it takes nobody else down, nothing of it is lost, and it comes back by itself
when what was wrong is mended."""

import contextlib
import glob
import os
import pathlib
import signal
import subprocess

from harness import PATIENCE, main, needs_root, wait_until
from provider_harness import ProviderStory

PSQL = (sorted(glob.glob("/usr/lib/postgresql/*/bin/psql")) or [""])[-1]


def ask(url, sql):
    done = subprocess.run([PSQL, f"{url}?sslmode=require", "-XAtc", sql], capture_output=True, text=True, timeout=PATIENCE,
                          env=dict(os.environ, PGCONNECT_TIMEOUT="20"))
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


@needs_root
class DatabaseFaults(ProviderStory):
    provider_name = "postgresql"

    def volumes(self):
        return set((self.provider.data / "volumes").iterdir())

    def status(self, resource):
        _, answer = self.provider.call("GET", f"/client/v11/databases/{resource}", None, {"X-Renga-Addon": resource})
        return next(row["values"][0] for row in answer["info"] if row["name"] == "Status")

    def test_a_server_that_refuses_to_start(self):
        resource, url = self.made("essential-0")
        ask(url, "CREATE TABLE kept AS SELECT 42 AS n")
        [broken] = self.volumes()
        version = broken / "data/PG_VERSION"
        right = version.read_text()
        version.write_text("9.0\n")
        state = next((self.provider.data / "run/sandboxes").glob("*/state")).read_text()
        os.kill(int(state.split()[1]), signal.SIGKILL)
        wait_until(lambda: ask(url, "SELECT n FROM kept") != "42", what="the server to be gone")
        self.assertEqual(self.status(resource), "Unavailable")

        # Who comes now gets a database: at once, or, asked before it is known, at the next try.
        other = wait_until(lambda: self.once("essential-0"), what="a database on another server")
        self.assertEqual(ask(other, "SELECT 1"), "1")
        [new] = self.volumes() - {broken}
        self.made("essential-0")
        self.assertEqual(self.volumes(), {broken, new}, "one more is enough")

        # Nothing is lost, and nobody has to start it.
        version.write_text(right)
        wait_until(lambda: ask(url, "SELECT n FROM kept") == "42", what="the server to be back")
        self.assertEqual(self.status(resource), "Available")
        self.assertEqual(self.provider.call("DELETE", f"/heroku/resources/{resource}")[0], 200)

    def test_a_machine_that_is_slow(self):
        """What is not there before the platform would give up is promised, and told when it is there."""
        self.made("essential-0")
        spawner = next(pid for pid in self.children(self.provider.process.pid) if b"spawner" in self.command(pid))
        os.kill(spawner, signal.SIGSTOP)
        try:
            resource, status, answer = self.provider.provision("standard-0")
            self.assertEqual(status, 202, answer)
            self.assertNotIn("config", answer)
            self.assertEqual(self.provider.call("GET", f"/client/v11/databases/{resource}", None, {"X-Renga-Addon": resource})[0], 404)
        finally:
            os.kill(spawner, signal.SIGCONT)
        url = self.config(resource)["HEROKU_POSTGRESQL_URL"]
        self.assertEqual(ask(url, "SELECT 1"), "1")
        # Asked again, it is there.
        self.assertEqual(self.made("standard-0", resource)[1], url)

    @staticmethod
    def command(pid):
        with contextlib.suppress(OSError):
            return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        return b""

    @staticmethod
    def children(pid):
        """Of all its threads."""
        return [int(child) for path in pathlib.Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]

    def once(self, plan):
        """The URL of a new database, if there is one."""
        _, status, answer = self.provider.provision(plan)
        self.assertIn(status, (201, 202, 503), answer)
        return next(iter(answer["config"].values())) if status == 201 else None


if __name__ == "__main__":
    main()
